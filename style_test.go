package precond_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines is the length that no hand-written file exceeds.
const maxLines = 700

var (
	isaName = regexp.MustCompile(`(?i)avx|\bneon\b`)
	// elementary matches the functions of package math whose bits depend on the
	// port: some have assembly, others are Go that compilers may fuse.
	elementary = regexp.MustCompile(`^(A?(Sin|Cos|Tan)h?|Atan2|Sincos|Exp(2|m1)?|Log(2|10|1p|b)?|Pow(10)?|Hypot|Cbrt|Erf(inv)?|Erfc(inv)?|L?[Gg]amma|[JY][01n])$`)
	// newRand matches what math/rand offers without its global state.
	newRand = regexp.MustCompile(`^(New.*|Rand|Source|Source64|Zipf|PCG|ChaCha8)$`)
)

// checkLength returns a finding if a hand-written file is too long.
func checkLength(name string, src []byte) (bad []string) {
	if n := bytes.Count(src, []byte("\n")); n > maxLines && !bytes.HasPrefix(src, []byte("// Code generated ")) {
		bad = append(bad, fmt.Sprintf("%s has %d lines, more than %d", name, n, maxLines))
	}
	return bad
}

// checkISANames returns the lines of a file that name an instruction set.
func checkISANames(name string, src []byte) (bad []string) {
	for i, line := range strings.Split(string(src), "\n") {
		if isaName.MatchString(line) {
			bad = append(bad, fmt.Sprintf("%s:%d: names an instruction set: %s", name, i+1, strings.TrimSpace(line)))
		}
	}
	return bad
}

// checkMath returns the uses in a file of math/rand's global state and, where
// numeric is set, of functions of package math that have other bits elsewhere.
func checkMath(fset *token.FileSet, f *ast.File, numeric bool) (bad []string) {
	paths := map[string]string{} // local name of an import → its path
	for _, imp := range f.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		switch path {
		case "math", "math/rand", "math/rand/v2":
			name := strings.Split(path, "/")[min(1, strings.Count(path, "/"))]
			if imp.Name != nil {
				name = imp.Name.Name
			}
			paths[name] = path
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok || paths[id.Name] == "" {
			return true
		}
		forbidden := numeric && elementary.MatchString(sel.Sel.Name)
		if paths[id.Name] != "math" {
			forbidden = !newRand.MatchString(sel.Sel.Name)
		}
		if forbidden {
			bad = append(bad, fmt.Sprintf("%s: uses %s.%s", fset.Position(sel.Pos()), id.Name, sel.Sel.Name))
		}
		return true
	})
	return bad
}

// checkProducts returns the floating-point products in a file that a compiler
// may fuse with an addition, here or in a later statement or, inlined, in a
// caller: all that are not converted at once. A comment "// exact" on the line
// exempts a product that needs no rounding.
func checkProducts(fset *token.FileSet, f *ast.File, info *types.Info) (bad []string) {
	exact := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if strings.HasPrefix(c.Text, "// exact") {
				exact[fset.Position(c.Pos()).Line] = true
			}
		}
	}
	flag := func(pos token.Pos) {
		if p := fset.Position(pos); !exact[p.Line] {
			bad = append(bad, fmt.Sprintf("%s: product without a conversion may be fused", p))
		}
	}
	rounded := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if tv := info.Types[n.Fun]; tv.IsType() && isFloat(tv.Type) && len(n.Args) == 1 {
				rounded[ast.Unparen(n.Args[0])] = true
			}
		case *ast.BinaryExpr:
			tv := info.Types[n]
			if n.Op == token.MUL && tv.Value == nil && isFloat(tv.Type) && !rounded[n] {
				flag(n.OpPos)
			}
		case *ast.AssignStmt:
			if n.Tok == token.MUL_ASSIGN && isFloat(info.TypeOf(n.Lhs[0])) {
				flag(n.TokPos)
			}
		}
		return true
	})
	return bad
}

// isFloat returns whether t is a floating-point type, or a type parameter that
// may be one.
func isFloat(t types.Type) bool {
	switch t := t.(type) {
	case nil:
		return false
	case *types.TypeParam:
		return isFloat(t.Constraint())
	case *types.Union:
		return slices.ContainsFunc(slices.Collect(t.Terms()), func(x *types.Term) bool { return isFloat(x.Type()) })
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsFloat != 0
	case *types.Interface:
		return slices.ContainsFunc(slices.Collect(u.EmbeddedTypes()), isFloat)
	}
	return false
}

// numeric returns whether the results of the package's code are results of the
// library, which have the same bits everywhere.
func numeric(entry string) bool {
	return !slices.Contains([]string{"bench", "fuzz", "asm/gen", "."}, entry)
}

// mayNameISA returns whether the package may know instruction sets by name.
func mayNameISA(entry string) bool {
	return slices.Contains([]string{"internal/cpu", "asm", "asm/gen", "bench", "."}, entry)
}

// TestSources checks the text of every Go and assembly file of the repository,
// whatever its build constraints.
func TestSources(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		ext := filepath.Ext(path)
		if d.IsDir() || ext != ".go" && ext != ".s" && ext != ".h" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		report(t, checkLength(path, src))
		if ext != ".go" {
			return nil
		}
		_, entry, _ := place(strings.TrimSuffix(root+"/"+filepath.ToSlash(filepath.Dir(path)), "/."))
		if !mayNameISA(entry) {
			report(t, checkISANames(path, src))
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		report(t, checkMath(fset, f, numeric(entry) && !strings.HasSuffix(path, "_test.go")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("found %d files only", files)
	}
}

// TestProducts checks the numeric packages of the root module, as built for this
// machine and as built with the tag purego.
func TestProducts(t *testing.T) {
	for _, tags := range []string{"", "purego"} {
		out := goRun(t, "list", "-tags="+tags, "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...")
		dec := json.NewDecoder(strings.NewReader(out))
		export := map[string]string{}
		type source struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
		}
		var ours []source
		for dec.More() {
			var p source
			if err := dec.Decode(&p); err != nil {
				t.Fatal(err)
			}
			export[p.ImportPath] = p.Export
			if _, entry, ok := place(p.ImportPath); ok && numeric(entry) {
				ours = append(ours, p)
			}
		}
		fset := token.NewFileSet()
		imp := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(export[path]) })
		for _, p := range ours {
			var files []*ast.File
			for _, name := range p.GoFiles {
				f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
			}
			info := typeCheck(t, fset, imp, p.ImportPath, files)
			for _, f := range files {
				report(t, checkProducts(fset, f, info))
			}
		}
	}
}

func typeCheck(t *testing.T, fset *token.FileSet, imp types.Importer, path string, files []*ast.File) *types.Info {
	t.Helper()
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	conf := types.Config{Importer: imp}
	if _, err := conf.Check(path, fset, files, info); err != nil {
		t.Fatal(err)
	}
	return info
}

// TestStyleFails shows that the checks find what they are there to find.
func TestStyleFails(t *testing.T) {
	expect := func(what string, bad []string, want int) {
		t.Helper()
		if len(bad) != want {
			t.Errorf("%s: %d findings, want %d: %q", what, len(bad), want, bad)
		}
	}
	long := strings.Repeat("\n", maxLines+1)
	expect("length", checkLength("x.go", []byte(long)), 1)
	expect("length, generated", checkLength("x.go", []byte("// Code generated by x. DO NOT EDIT.\n"+long)), 0)
	expect("length, short", checkLength("x.go", []byte(long[1:])), 0)
	expect("isa", checkISANames("x.go", []byte("var simultaneous int\nif isa == \"Avx2\" {\n// for NEON\n")), 2)

	fset := token.NewFileSet()
	parse := func(src string) *ast.File {
		f, err := parser.ParseFile(fset, "x.go", src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := parse(`package x
		import ("math"; m "math"; "math/rand"; r2 "math/rand/v2")
		var a = math.Tanh(1) + m.Log1p(2) + math.Hypot(3, 4) + math.Pow(1, 2) + math.Log(1)
		var b = math.Sqrt(2) + math.FMA(1, 2, 3) + math.Abs(1) + math.Ldexp(1, 2) + math.Inf(1) + math.Floor(2)
		var c = rand.New(rand.NewSource(1)).Intn(3) + r2.New(r2.NewPCG(1, 2)).IntN(3)
		var d = rand.Intn(3) + r2.IntN(3)`)
	expect("math, numeric", checkMath(fset, f, true), 7)
	expect("math, test", checkMath(fset, f, false), 2)

	f = parse(`package x
		type float interface{ float32 | float64 }
		const k = 2.0 * 3.0
		func fma(x, y, z float64) float64
		func f[T float](x, y, z T, i, j int) T {
			x = x*y + z
			p := x * y
			p *= z
			p = T(x) * y
			p = T(x*y*z)
			p = T((x * y)) + z
			p = T(T(x*y)*z) + z/x
			p = x * y // exact because I say so
			i = i*j + j
			i *= j
			return p + k*k
		}
		func g(x float32, i int) float32 { return float32(i*i) * x }
		func h(x, y, z float64) float64 { return fma(x, -y, float64(x*y)) }`)
	info := typeCheck(t, fset, nil, "x", []*ast.File{f})
	expect("products", checkProducts(fset, f, info), 6)
}
