package spawn

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestCommandValidate(t *testing.T) {
	tests := []struct {
		name string
		cmd  Command
		want string
	}{
		{"zero", Command{}, ""},
		{"254 bytes", Command{Name: strings.Repeat("n", 254)}, ""},
		{"255 bytes", Command{Name: strings.Repeat("n", 255)}, ""},
		{"256 bytes", Command{Name: strings.Repeat("n", 256)}, "spawn: name of 256 bytes is over the limit of 255"},
		{"NUL", Command{Name: "a\x00b"}, `spawn: name "a\x00b" contains a NUL`},
		{"procs", Command{Name: "a", Procs: -1}, "spawn a: negative Procs -1"},
		{"nil file", Command{Name: "a", Files: []*os.File{os.Stdin, nil}}, "spawn a: file 1 is nil"},
	}
	for _, test := range tests {
		got := ""
		if err := test.cmd.validate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if test.want != "" {
			if _, err := Start(&test.cmd); err == nil {
				t.Errorf("%s: started", test.name)
			}
		}
	}
}

func TestCommandEnviron(t *testing.T) {
	cmd := Command{
		Env:   []string{"A=1", "GOMAXPROCS=9", "GOMAXPROCS=3", "PROGENY_BIRTH=1:9:", "B=1", "B=2=2"},
		Procs: 2,
		Files: make([]*os.File, 4),
	}
	got := cmd.environ()
	want := []string{"A=1", "B=2=2", "GOMAXPROCS=2", "PROGENY_BIRTH=1:4:3"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = (&Command{Env: []string{}}).environ()
	want = []string{"GOMAXPROCS=1", "PROGENY_BIRTH=1:0:"}
	if !slices.Equal(got, want) {
		t.Errorf("empty: got %q, want %q", got, want)
	}
}

func TestCertificate(t *testing.T) {
	for _, want := range []certificate{{}, {files: maxFiles}, {files: 2, procs: "4"}, {procs: "a:b"}} {
		if got, err := parseCertificate(want.String()); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", want.String(), got, err)
		}
	}
	for _, value := range []string{"", "1", "1:", "1:2", "2:0:", "1:-1:", "1:x:", "1:65537:", "1: 1:", "1:99999999999999999999:"} {
		if got, err := parseCertificate(value); err == nil {
			t.Errorf("%q: got %+v, want an error", value, got)
		}
	}
}

func FuzzCertificate(f *testing.F) {
	f.Add("1:0:")
	f.Add("1:3:16")
	f.Add("1:65537:")
	f.Add("::")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := parseCertificate(value)
		if err != nil {
			return
		}
		if c.files < 0 || c.files > maxFiles {
			t.Errorf("%q: %d files", value, c.files)
		}
		if again, err := parseCertificate(c.String()); err != nil || again != c {
			t.Errorf("%q: got %+v, %v, want %+v", value, again, err, c)
		}
	})
}
