package safetext

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// The promise that a bypass does not compile, held against the compiler.
func TestBypassDoesNotCompile(t *testing.T) {
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "source", nil)
	compiles := func(body string) error {
		src := "package p\nimport s \"tidings/internal/safetext\"\nfunc f(outside string) s.Text {\n" + body + "\n}"
		f, err := parser.ParseFile(fset, "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&types.Config{Importer: imp}).Check("p", fset, []*ast.File{f}, nil)
		return err
	}
	for _, ok := range []string{
		`return s.Clean(outside)`,
		`return s.Const("x" + "y")`,
		`return s.Format("%s: %s", s.Clean(outside), s.Int(3))`,
	} {
		if err := compiles(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{
		`return s.Const(outside)`,
		`return s.Const("x" + outside)`,
		`return s.Format(outside)`,
		`return s.Format("%s", outside)`,
		`return s.Join([]s.Text{}, outside)`,
		`return s.Text(outside)`,
		`return s.Text{outside}`,
		`return s.Text{s: outside}`,
		`return s.Const(s.constant(outside))`,
		`return s.Int(outside)`,
	} {
		if err := compiles(bad); err == nil {
			t.Errorf("%s compiles", bad)
		}
	}
}
