package gonumblas_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/precond-go/precond/gonumblas"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// routines gives the arguments of every method, without the prefix of its type:
// dimensions m, n, k, kL, kU, leading dimensions and increments are told apart by
// these names.
var routines = map[string]string{
	"dot": "n x incX y incY", "nrm2": "n x incX", "asum": "n x incX", "amax": "n x incX",
	"swap": "n x incX y incY", "copy": "n x incX y incY", "axpy": "n alpha x incX y incY", "scal": "n alpha x incX",
	"rotg": "a b", "rotmg": "d1 d2 x1 y1", "rot": "n x incX y incY c s", "rotm": "n x incX y incY p",

	"gemv": "tA m n alpha a lda x incX beta y incY", "gbmv": "tA m n kL kU alpha a lda x incX beta y incY",
	"trmv": "ul tA d n a lda x incX", "tbmv": "ul tA d n k a lda x incX", "tpmv": "ul tA d n ap x incX",
	"trsv": "ul tA d n a lda x incX", "tbsv": "ul tA d n k a lda x incX", "tpsv": "ul tA d n ap x incX",
	"symv": "ul n alpha a lda x incX beta y incY", "sbmv": "ul n k alpha a lda x incX beta y incY",
	"spmv": "ul n alpha ap x incX beta y incY", "ger": "m n alpha x incX y incY a lda",
	"syr": "ul n alpha x incX a lda", "spr": "ul n alpha x incX ap",
	"syr2": "ul n alpha x incX y incY a lda", "spr2": "ul n alpha x incX y incY ap",

	"gemm": "tA tB m n k alpha a lda b ldb beta c ldc", "symm": "s ul m n alpha a lda b ldb beta c ldc",
	"syrk": "ul tA n k alpha a lda beta c ldc", "syr2k": "ul tA n k alpha a lda b ldb beta c ldc",
	"trmm": "s ul tA d m n alpha a lda b ldb", "trsm": "s ul tA d m n alpha a lda b ldb",
}

// methodName returns the method of a routine for the prefix S or D.
func methodName(prefix, routine string) string {
	if routine == "amax" {
		return "I" + strings.ToLower(prefix) + routine
	}
	return prefix + routine
}

// call calls the method of impl and returns what it returns, or what it panics with.
func call(impl any, method string, args []reflect.Value) (out []reflect.Value, panicked any) {
	defer func() {
		if panicked = recover(); panicked != nil {
			panicked = fmt.Sprint(panicked)
		}
	}()
	return reflect.ValueOf(impl).MethodByName(method).Call(args), nil
}

// clone copies the arguments, converted to the types that the method takes.
func clone(args []reflect.Value, impl any, method string) []reflect.Value {
	typ := reflect.ValueOf(impl).MethodByName(method).Type()
	out := make([]reflect.Value, len(args))
	for i, a := range args {
		want := typ.In(i)
		if want.Kind() == reflect.Slice {
			out[i] = reflect.MakeSlice(want, a.Len(), a.Len()+spare)
			for j := range a.Len() {
				out[i].Index(j).SetFloat(a.Index(j).Float())
			}
			continue
		}
		if want.Kind() == reflect.Struct { // SrotmParams, DrotmParams
			out[i] = reflect.New(want).Elem()
			out[i].Field(0).Set(a.Field(0))
			for j := range 4 {
				out[i].Field(1).Index(j).SetFloat(a.Field(1).Index(j).Float())
			}
			continue
		}
		out[i] = a.Convert(want)
	}
	return out
}

// numbers appends all floating-point numbers and integers in v to list.
func numbers(list []float64, v reflect.Value) []float64 {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return append(list, v.Float())
	case reflect.Int:
		return append(list, float64(v.Int()))
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			list = numbers(list, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			list = numbers(list, v.Field(i))
		}
	}
	return list
}

// compare calls a method of ours and gonum's with the same arguments. They must
// panic alike, or else give what gonum's double precision gives on contiguous
// vectors, up to the tolerance. (Gonum's assembly is wrong for some increments:
// Dger with incX = −2, for one.)
func compare(prefix, routine string, args []reflect.Value, tol float64) (panicked bool, err error) {
	method, exact := methodName(prefix, routine), methodName("D", routine)
	got := clone(args, gonumblas.Implementation{}, method)
	gotOut, gotPanic := call(gonumblas.Implementation{}, method, got)
	_, wantPanic := call(gonum.Implementation{}, method, clone(args, gonum.Implementation{}, method))
	if gotPanic != wantPanic {
		return false, fmt.Errorf("panics with %v, gonum's with %v", gotPanic, wantPanic)
	}
	if wantPanic != nil {
		return true, nil
	}
	want := clone(args, gonum.Implementation{}, exact)
	wantOut, _ := call(gonum.Implementation{}, exact, contiguous(routine, want, false))
	contiguous(routine, want, true)
	var g, w []float64
	for _, v := range append(got, gotOut...) {
		g = numbers(g, v)
	}
	for _, v := range append(want, wantOut...) {
		w = numbers(w, v)
	}
	for i, x := range g {
		y := w[i]
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			continue
		}
		if !(math.Abs(x-y) <= tol*math.Max(1, math.Abs(y))) {
			return false, fmt.Errorf("gives %v where gonum gives %v", x, y)
		}
	}
	return false, nil
}

// contiguous returns the arguments with the vectors of increments other than 1
// replaced by contiguous ones, which it keeps at the end of the slices' capacity. With
// back it copies these to where they came from.
func contiguous(routine string, args []reflect.Value, back bool) []reflect.Value {
	switch routine {
	case "nrm2", "asum", "amax", "scal", "rotg", "rotmg":
		return args // no vectors, or nothing happens if the increment is negative
	}
	names := strings.Fields(routines[routine])
	at := func(name string) int { return slices.Index(names, name) }
	n := int(args[at("n")].Int())
	lengths := map[string]int{"x": n, "y": n}
	if i := at("m"); i >= 0 {
		m := int(args[i].Int())
		if t := at("tA"); t < 0 || args[t].Uint() != uint64(blas.NoTrans) { // ger, or transposed
			lengths["x"] = m
		} else {
			lengths["y"] = m
		}
		n = min(m, n)
	}
	if n == 0 {
		return args
	}
	out := slices.Clone(args)
	for v, n := range lengths {
		i := at("inc" + strings.ToUpper(v))
		if i < 0 {
			continue
		}
		inc := int(args[i].Int())
		first := max(0, (1-n)*inc)
		whole := args[i-1].Slice(0, args[i-1].Cap())
		part := whole.Slice(whole.Len()-spare, whole.Len()-spare+n)
		for j := range n {
			if e := whole.Index(first + j*inc); back {
				e.Set(part.Index(j))
			} else {
				part.Index(j).Set(e)
			}
		}
		out[i-1], out[i] = part, reflect.ValueOf(1)
	}
	return out
}

// spare is the capacity of slices beyond their length.
const spare = 128

// arguments draws arguments for a routine: one by one by its name and type.
func arguments(method, names string, draw func(name string, typ reflect.Type) reflect.Value) []reflect.Value {
	typ := reflect.ValueOf(gonumblas.Implementation{}).MethodByName(method).Type()
	var args []reflect.Value
	for i, name := range strings.Fields(names) {
		args = append(args, draw(name, typ.In(i)).Convert(typ.In(i)))
	}
	return args
}

func describe(method string, args []reflect.Value) string {
	s := method + "("
	for i, a := range args {
		if i > 0 {
			s += ", "
		}
		switch a.Kind() {
		case reflect.Slice:
			s += fmt.Sprintf("[%d]", a.Len())
		case reflect.Uint8:
			s += fmt.Sprintf("%q", rune(a.Uint()))
		default:
			s += fmt.Sprint(a)
		}
	}
	return s + ")"
}

func pick[E any](r *rand.Rand, of ...E) reflect.Value { return reflect.ValueOf(of[r.IntN(len(of))]) }

// enum draws a flag, an unknown one now and then if bad.
func enum(r *rand.Rand, name string, bad bool) reflect.Value {
	if bad && r.IntN(12) == 0 {
		return reflect.ValueOf(byte('X'))
	}
	switch name {
	case "tA", "tB":
		return pick(r, blas.NoTrans, blas.Trans, blas.ConjTrans)
	case "ul":
		return pick(r, blas.Lower, blas.Upper)
	case "d":
		return pick(r, blas.Unit, blas.NonUnit)
	default:
		return pick(r, blas.Left, blas.Right)
	}
}

// TestArguments draws small arguments of any value for all routines: ours must
// panic when gonum's do, with the same text, and else give the same. The elements
// are small powers of two, so that hardly anything is rounded.
func TestArguments(t *testing.T) {
	for routine, names := range routines {
		for _, prefix := range []string{"S", "D"} {
			method := methodName(prefix, routine)
			r := rand.New(rand.NewPCG(1, uint64(len(routine))))
			panics, trials := 0, 1500
			for range trials {
				args := arguments(method, names, func(name string, typ reflect.Type) reflect.Value {
					switch {
					case name == "p":
						v := reflect.New(typ).Elem()
						v.Field(0).Set(pick(r, blas.Identity, blas.Rescaling, blas.OffDiagonal, blas.Diagonal))
						for i := range 4 {
							v.Field(1).Index(i).SetFloat(float64(1 - r.IntN(3)))
						}
						return v
					case typ.Kind() == reflect.Uint8:
						return enum(r, name, true)
					case typ.Kind() == reflect.Int && strings.HasPrefix(name, "inc"):
						return pick(r, 0, 1, 1, 1, 2, -1, -2, 3)
					case typ.Kind() == reflect.Int && strings.HasPrefix(name, "ld"):
						return pick(r, -1, 0, 2, 4, 5, 6, 7, 8, 9)
					case typ.Kind() == reflect.Int:
						return pick(r, -1, 0, 1, 2, 3, 4, 5, 6)
					case typ.Kind() == reflect.Slice:
						n := pick(r, 0, 1, 5, 12, 60, 60, 60, 60).Interface().(int)
						v := reflect.MakeSlice(typ, n, n)
						for i := range n {
							v.Index(i).Set(pick(r, 1.0, -1, 0.5, -0.5, 2).Convert(typ.Elem()))
						}
						return v
					default:
						return pick(r, 0.0, 1, -1, 2, 0.5)
					}
				})
				tol := 1e-12
				if prefix == "S" {
					tol = 1e-4
				}
				panicked, err := compare(prefix, routine, args, tol)
				if err != nil {
					t.Fatalf("%s %v", describe(method, args), err)
				}
				if panicked {
					panics++
				}
			}
			if routine != "rotg" && routine != "rotmg" && (panics < trials/20 || panics > trials*19/20) {
				t.Errorf("%s: %d of %d calls panic; the test sees too little", method, panics, trials)
			}
		}
	}
}

// TestResults compares valid calls of all sizes that kernels treat differently
// with gonum's double precision, for both types. The packed and banded solvers are
// left out, since random matrices of their kind are close to singular.
func TestResults(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 70}
	const most = 70
	for routine, names := range routines {
		if routine == "tbsv" || routine == "tpsv" || routine == "rotg" || routine == "rotmg" {
			continue
		}
		for _, prefix := range []string{"S", "D"} {
			method := methodName(prefix, routine)
			r := rand.New(rand.NewPCG(2, uint64(len(routine))))
			for range 120 {
				lda := most + r.IntN(4)
				args := arguments(method, names, func(name string, typ reflect.Type) reflect.Value {
					switch {
					case name == "p":
						v := reflect.New(typ).Elem()
						v.Field(0).Set(pick(r, blas.Identity, blas.Rescaling, blas.OffDiagonal, blas.Diagonal))
						for i := range 4 {
							v.Field(1).Index(i).SetFloat(2*r.Float64() - 1)
						}
						return v
					case typ.Kind() == reflect.Uint8:
						return enum(r, name, false)
					case strings.HasPrefix(name, "inc"):
						return pick(r, 1, 1, 2, 3, -1, -2)
					case name == "lda":
						return reflect.ValueOf(lda)
					case strings.HasPrefix(name, "ld"):
						return reflect.ValueOf(most + r.IntN(4))
					case name == "kL" || name == "kU" || name == "k" && routine[0] != 'g' && routine[2] == 'b':
						return reflect.ValueOf(r.IntN(20))
					case typ.Kind() == reflect.Int:
						return pick(r, sizes...)
					case typ.Kind() == reflect.Slice:
						n := most * (most + 4)
						if name == "x" || name == "y" {
							n = 3*most + r.IntN(3)
						}
						v := reflect.MakeSlice(typ, n, n)
						for i := range n {
							e := 2*r.Float64() - 1
							if name == "a" && (routine == "trsv" || routine == "trsm") {
								if e /= most; i%lda == i/lda {
									e += 1
								}
							}
							v.Index(i).SetFloat(e)
						}
						return v
					default:
						return pick(r, 0.0, 1, 1, -0.5, 2)
					}
				})
				tol := 1e-12
				if prefix == "S" {
					tol = 5e-5
				}
				if _, err := compare(prefix, routine, args, tol); err != nil {
					t.Fatalf("%s %v", describe(method, args), err)
				}
			}
		}
	}
}
