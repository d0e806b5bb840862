package actor_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows says what a folder of this module and all below it may import, beside
// itself and the standard library.
var arrows = map[string]string{
	"examples":   "actor",
	"benchmarks": "actor",
	"actor":      "mailbox spawn reaper codec",
	"mailbox":    "codec golang.org/x/sys",
	"spawn":      "golang.org/x/sys",
	"reaper":     "golang.org/x/sys",
	"codec":      "github.com/vmihailenco/msgpack/v5",
}

const (
	dependencies = "github.com/vmihailenco/msgpack/v5 golang.org/x/sys"
	layout       = "README.md actor benchmarks codec docs examples go.mod go.sum mailbox reaper spawn"
	heavy        = "net/http encoding/json text/template" // every start of an actor would pay for them
)

// TestLayers holds the repository to the arrows between its packages, to its
// dependencies and to its layout. Tests and nested modules are not looked at.
func TestLayers(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, line := range goList(t, goos, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
			path, imports, _ := strings.Cut(line, " ")
			for imported := range strings.FieldsSeq(imports) {
				if !allowed(layer(path), layer(imported)) {
					t.Errorf("%s: %s must not import %s", goos, path, imported)
				}
			}
		}
		for _, path := range goList(t, goos, "-f", "{{if not .Doc}}{{.ImportPath}}{{end}}", "./...") {
			t.Errorf("%s: %s has no package documentation", goos, path)
		}
	}
	for _, path := range goList(t, "linux", "-deps", "./actor") {
		if path == "net" {
			t.Error("something that actor imports imports net, which links the C library: every process of an actor starts later with it, with a thread and 0.2 MB more")
		}
	}
	direct := goList(t, "linux", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all")
	if got := strings.Join(direct, " "); got != dependencies {
		t.Errorf("direct dependencies in go.mod:\n got %s\nwant %s", got, dependencies)
	}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name()[0] == '.' })
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got := strings.Join(names, " "); got != layout {
		t.Errorf("top level of the repository:\n got %s\nwant %s", got, layout)
	}
}

// allowed reports whether a package in one layer may import one in another.
func allowed(from, to string) bool {
	if !strings.Contains(to, ".") && arrows[to] == "" { // the standard library
		return from == "examples" || from == "benchmarks" || !slices.Contains(strings.Fields(heavy), to)
	}
	return to == from || slices.Contains(strings.Fields(arrows[from]), to)
}

// layer returns the folder of this module or the dependency that a package is
// in, and any other path as it is.
func layer(path string) string {
	if below, ours := strings.CutPrefix(path, "github.com/progeny-go/progeny/"); ours {
		path, _, _ = strings.Cut(below, "/")
	}
	for module := range strings.FieldsSeq(dependencies) {
		if strings.HasPrefix(path+"/", module+"/") {
			return module
		}
	}
	return path
}

// goList returns the lines that go list prints in the root of this module.
func goList(t *testing.T, goos string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+goos)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}
