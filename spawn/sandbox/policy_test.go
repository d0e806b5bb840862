//go:build unix

package sandbox

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	for _, c := range []struct {
		policy Policy
		want   string // in the error; empty for none
	}{
		{Policy{}, ""},
		{Policy{Files: ReadOnly}, ""},
		{Policy{Files: ReadOnly, ReadWrite: []string{dir}}, ""},
		{Policy{Files: Listed, ReadOnly: []string{dir, file}, ReadWrite: []string{dir, dir}}, ""},
		{Policy{Files: 3}, "unknown Files(3)"},
		{Policy{Files: -1}, "unknown Files(-1)"},
		{Policy{ReadOnly: []string{dir}}, "paths in ReadOnly, but Files is unrestricted"},
		{Policy{ReadWrite: []string{dir}}, "paths in ReadWrite, but Files is unrestricted"},
		{Policy{Files: ReadOnly, ReadOnly: []string{dir}}, "paths in ReadOnly, but Files is read-only"},
		{Policy{Files: Listed, ReadOnly: []string{"relative"}}, `path "relative" is not absolute`},
		{Policy{Files: Listed, ReadWrite: []string{""}}, `path "" is not absolute`},
		{Policy{Files: Listed, ReadWrite: []string{dir + "\x00"}}, "has a zero byte"},
		{Policy{Files: Listed, ReadOnly: []string{missing}}, missing},
		{Policy{Files: Listed, ReadWrite: []string{missing}}, missing},
		{Policy{Files: Listed, ReadOnly: slices.Repeat([]string{dir}, maxPaths-1)}, ""},
		{Policy{Files: Listed, ReadOnly: slices.Repeat([]string{dir}, maxPaths-1), ReadWrite: []string{dir}}, ""},
		{Policy{Files: Listed, ReadOnly: slices.Repeat([]string{dir}, maxPaths), ReadWrite: []string{dir}}, "1025 paths, at most 1024 can be listed"},
	} {
		err := c.policy.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.100s: got %v, want %q", c.policy.text(), err, c.want)
		}
	}
}

var texts = []struct {
	text   string
	policy Policy
}{
	{"1", Policy{}},
	{"1 files=read-only best-effort", Policy{Files: ReadOnly, BestEffort: true}},
	{`1 no-new-privileges no-network files=listed ro="/a b" ro="/c\"=\n" rw="/\u00e9\xff" no-processes syscalls best-effort`, Policy{
		NoNewPrivileges: true, NoNetwork: true, Files: Listed, ReadOnly: []string{"/a b", "/c\"=\n"}, ReadWrite: []string{"/é\xff"},
		NoProcesses: true, Syscalls: true, BestEffort: true}},
}

func TestText(t *testing.T) {
	for _, c := range texts {
		text, err := c.policy.MarshalText()
		if err != nil || string(text) != c.text {
			t.Errorf("%+v: got %s, %v, want %s", c.policy, text, err, c.text)
		}
		p := Policy{NoNetwork: true, ReadOnly: []string{"left over"}}
		if err := p.UnmarshalText([]byte(c.text)); err != nil || !reflect.DeepEqual(p, c.policy) {
			t.Errorf("%s: got %+v, %v", c.text, p, err)
		}
	}
}

func TestTextMalformed(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "version is not 1",
		"2 no-network":                  "version is not 1",
		"1 no-network no-teleportation": `unknown word "no-teleportation"`,
		"1 files=some":                  "unknown Files(-1)",
		"1 files=unrestricted":          "not as it is written",
		"1 ":                            "not as it is written",
		"1 no-network ":                 "not as it is written",
		"1  no-network":                 `unknown word ""`,
		"1 no-network no-network":       "not as it is written",
		"1 syscalls no-processes":       "not as it is written",
		"1 no-network=yes":              `unknown word "yes"`,
		`1 files=listed ro=/a`:          "path after ro=",
		`1 files=listed ro="/a`:         "path after ro=",
		`1 files=listed ro='a'`:         "not absolute",
		"1 files=listed ro=`/a`":        "not as it is written",
		`1 files=listed ro="a"`:         "not absolute",
		`1 ro="/a"`:                     "Files is unrestricted",
	} {
		p := Policy{Syscalls: true}
		err := p.UnmarshalText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
		if !reflect.DeepEqual(p, Policy{Syscalls: true}) {
			t.Errorf("%s: the policy was changed to %+v", text, p)
		}
	}
	if _, err := (&Policy{Files: 7}).MarshalText(); err == nil {
		t.Error("an invalid policy has a text")
	}
}

func TestTextLimit(t *testing.T) {
	for size, ok := range map[int]bool{maxText - 1: true, maxText: true, maxText + 1: false} {
		p := Policy{Files: ReadOnly, ReadWrite: []string{"/"}}
		p.ReadWrite[0] += strings.Repeat("x", size-len(p.text()))
		text, err := p.MarshalText()
		if (err == nil) != ok || !ok && !strings.Contains(err.Error(), "65537 bytes as text, at most 65536") {
			t.Errorf("%d bytes: %v", size, err)
		}
		if ok && len(text) != size {
			t.Errorf("got %d bytes, want %d", len(text), size)
		}
		err = new(Policy).UnmarshalText(p.text())
		if (err == nil) != ok || !ok && !strings.Contains(err.Error(), "65537 bytes, at most 65536") {
			t.Errorf("reading %d bytes: %v", size, err)
		}
	}
}

// FuzzText: what can be read is written the same.
func FuzzText(f *testing.F) {
	for _, c := range texts {
		f.Add([]byte(c.text))
	}
	f.Add([]byte(`1 files=listed ro="/\x00"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p Policy
		if err := p.UnmarshalText(text); err != nil {
			return
		}
		got, err := p.MarshalText()
		if err != nil || string(got) != string(text) {
			t.Errorf("%q becomes %q, %v", text, got, err)
		}
	})
}
