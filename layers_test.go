package precond_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const root = "github.com/precond-go/precond"

// rows is the table of layers of ARCHITECTURE.md, top to bottom. An entry is a
// package and everything below it, as far as no longer entry claims it. A
// package imports only from rows above its own and from its own entry.
var rows = [][]string{
	{"internal/guard", "internal/hard"}, // for tests only
	{"internal/cpu"},
	{"internal/par", "internal/space"},
	{"asm"},
	{"dense"},
	{"internal/random"},
	{"kron", "sketch", "woodbury", "invroot", "quant"},
	{"solvers"},
	{"gonumblas"},
	{"internal/nn"},
	{"internal/digest"},
	{"bench", "fuzz", "asm/gen", "."}, // imported by nobody
}

// testOnly lists the entries that only test files may import.
var testOnly = []string{"internal/guard", "internal/hard", "internal/digest"}

// direct lists the modules that the root module may require directly. Another
// one needs a reason in ARCHITECTURE.md.
var direct = []string{
	"github.com/klauspost/cpuid/v2",
	"golang.org/x/sys",
	"gonum.org/v1/gonum",
}

// pkg is what these tests read of go list's output.
type pkg struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
}

// place returns the row and the entry of rows that an import path belongs to:
// the longest entry that is the path or a parent of it. ok is false if there is
// none, as for packages of other projects.
func place(path string) (row int, entry string, ok bool) {
	rel := "."
	if path != root {
		if rel, ok = strings.CutPrefix(path, root+"/"); !ok {
			return 0, "", false
		}
	}
	ok = false
	for r, entries := range rows {
		for _, e := range entries {
			if (rel == e || strings.HasPrefix(rel, e+"/")) && len(e) > len(entry) {
				row, entry, ok = r, e, true
			}
		}
	}
	return row, entry, ok
}

// checkLayers returns what in pkgs breaks the table of layers.
func checkLayers(pkgs []pkg) (bad []string) {
	for _, p := range pkgs {
		row, entry, ok := place(p.ImportPath)
		if !ok {
			bad = append(bad, p.ImportPath+" has no row in the table of layers")
			continue
		}
		check := func(imports []string, test bool) {
			for _, imp := range imports {
				if imp != root && !strings.HasPrefix(imp, root+"/") {
					continue
				}
				r, e, ok := place(imp)
				switch {
				case !ok:
					bad = append(bad, fmt.Sprintf("%s imports %s, which has no row", p.ImportPath, imp))
				case e == entry:
				case r == row:
					bad = append(bad, fmt.Sprintf("%s imports %s sideways", p.ImportPath, imp))
				case r > row:
					bad = append(bad, fmt.Sprintf("%s imports %s from below", p.ImportPath, imp))
				case !test && slices.Contains(testOnly, e) && row < len(rows)-1:
					bad = append(bad, fmt.Sprintf("%s imports %s outside tests", p.ImportPath, imp))
				}
			}
		}
		check(p.Imports, false)
		check(p.TestImports, true)
		check(p.XTestImports, true)
	}
	return bad
}

// checkDirect returns how the direct requirements of a go.mod differ from direct.
func checkDirect(mod goMod) (bad []string) {
	var got []string
	for _, r := range mod.Require {
		if !r.Indirect {
			got = append(got, r.Path)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, direct) {
		bad = append(bad, fmt.Sprintf("direct requirements are %v, want %v", got, direct))
	}
	return bad
}

// goMod is what checkDirect reads of go mod edit -json.
type goMod struct {
	Require []struct {
		Path     string
		Indirect bool
	}
}

// goList returns the packages of every module of the workspace.
func goList(t *testing.T) []pkg {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(goRun(t, "list", "-e", "-json=ImportPath,Dir,Imports,TestImports,XTestImports", "work")))
	var pkgs []pkg
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list found no package")
	}
	return pkgs
}

func goRun(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

func report(t *testing.T, bad []string) {
	t.Helper()
	for _, b := range bad {
		t.Error(b)
	}
}

func TestLayers(t *testing.T) { report(t, checkLayers(goList(t))) }

func TestDirectDependencies(t *testing.T) {
	var mod goMod
	if err := json.Unmarshal([]byte(goRun(t, "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	report(t, checkDirect(mod))
}

// TestLayersFail shows that the checks find what they are there to find.
func TestLayersFail(t *testing.T) {
	p := func(path string, imports ...string) pkg {
		q := pkg{ImportPath: root + "/" + path}
		for _, imp := range imports {
			q.Imports = append(q.Imports, root+"/"+imp)
		}
		return q
	}
	asTest := func(q pkg) pkg { q.Imports, q.XTestImports = nil, q.Imports; return q }
	for _, c := range []struct {
		name string
		pkg  pkg
		want string // part of the only finding; empty for none
	}{
		{"above", p("solvers/kfac", "dense", "kron", "asm", "internal/cpu"), ""},
		{"own entry", p("solvers/kfac", "solvers"), ""},
		{"other projects", pkg{ImportPath: root + "/dense", Imports: []string{"fmt", "gonum.org/v1/gonum/mat"}}, ""},
		{"root", pkg{ImportPath: root, Imports: []string{root + "/dense"}}, ""},
		{"below", p("asm", "dense"), "from below"},
		{"below in a test", asTest(p("asm", "dense")), "from below"},
		{"sideways", p("kron", "sketch"), "sideways"},
		{"bench", p("fuzz", "bench"), "sideways"},
		{"the generator", p("dense", "asm/gen"), "from below"},
		{"bench's child", p("gonumblas", "bench/report"), "from below"},
		{"guard", p("asm", "internal/guard"), "outside tests"},
		{"guard in a test", asTest(p("asm", "internal/guard")), ""},
		{"digest", p("fuzz", "internal/digest"), ""},
		{"unknown package", p("misc"), "no row"},
		{"prefix is not parent", p("densest"), "no row"},
		{"unknown import", p("dense", "misc"), "no row"},
	} {
		bad := checkLayers([]pkg{c.pkg})
		if (c.want == "") != (len(bad) == 0) || c.want != "" && (len(bad) != 1 || !strings.Contains(bad[0], c.want)) {
			t.Errorf("%s: found %q, want %q", c.name, bad, c.want)
		}
	}

	var mod goMod
	if err := json.Unmarshal([]byte(`{"Require": [{"Path": "example.com/fourth"},
		{"Path": "golang.org/x/sys"}, {"Path": "gonum.org/v1/gonum"}, {"Path": "github.com/klauspost/cpuid/v2"},
		{"Path": "example.com/indirect", "Indirect": true}]}`), &mod); err != nil {
		t.Fatal(err)
	}
	if len(checkDirect(mod)) != 1 {
		t.Error("a fourth direct dependency went unnoticed")
	}
	mod.Require = mod.Require[1:]
	report(t, checkDirect(mod))
}
