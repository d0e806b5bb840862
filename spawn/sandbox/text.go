package sandbox

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	textVersion = "1"

	// maxText keeps the text well below what one environment variable can hold
	// on Linux, 128 KiB (MAX_ARG_STRLEN in execve(2)).
	maxText = 64 << 10
)

// MarshalText writes p as a line of printable ASCII, for an environment
// variable: the version and the words that apply, in this order, separated by
// single spaces.
//
//	1 no-new-privileges no-network files=listed ro="/usr/share" rw="/tmp/a b" no-processes syscalls best-effort
//
// It fails if p is invalid in itself (files are not looked at), or if the text
// is longer than 64 KiB.
func (p *Policy) MarshalText() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	text := p.text()
	if len(text) > maxText {
		return nil, fmt.Errorf("sandbox: the policy takes %d bytes as text, at most %d are allowed", len(text), maxText)
	}
	return text, nil
}

func (p *Policy) text() []byte {
	text := []byte(textVersion)
	word := func(set bool, w string) {
		if set {
			text = append(append(text, ' '), w...)
		}
	}
	word(p.NoNewPrivileges, "no-new-privileges")
	word(p.NoNetwork, "no-network")
	word(p.Files != Unrestricted, "files="+p.Files.String())
	for _, path := range p.ReadOnly {
		word(true, "ro="+strconv.QuoteToASCII(path))
	}
	for _, path := range p.ReadWrite {
		word(true, "rw="+strconv.QuoteToASCII(path))
	}
	word(p.NoProcesses, "no-processes")
	word(p.Syscalls, "syscalls")
	word(p.BestEffort, "best-effort")
	return text
}

// UnmarshalText sets p to what MarshalText wrote. Anything else is an error, an
// unknown word too: what is not understood must not confine less. After an
// error p is as it was.
func (p *Policy) UnmarshalText(text []byte) error {
	q, err := parse(text)
	if err != nil {
		return fmt.Errorf("sandbox: malformed policy %.100q: %w", text, err)
	}
	*p = q
	return nil
}

func parse(text []byte) (p Policy, err error) {
	if len(text) > maxText {
		return p, fmt.Errorf("%d bytes, at most %d are allowed", len(text), maxText)
	}
	version, rest, _ := strings.Cut(string(text), " ")
	if version != textVersion {
		return p, fmt.Errorf("version is not %s", textVersion)
	}
	for rest != "" && err == nil {
		rest, err = p.parseWord(rest)
	}
	if err == nil {
		err = p.check()
	}
	// One Policy has one text: repetitions, a strange order and loose ends differ.
	if err == nil && !bytes.Equal(p.text(), text) {
		err = fmt.Errorf("not as it is written")
	}
	return p, err
}

// parseWord sets what the first word of s says and returns the others.
func (p *Policy) parseWord(s string) (rest string, err error) {
	end := strings.IndexAny(s, " =")
	if end < 0 {
		end = len(s)
	}
	word := s[:end]
	rest = strings.TrimPrefix(s[end:], "=")
	switch word {
	case "no-new-privileges":
		p.NoNewPrivileges = true
	case "no-network":
		p.NoNetwork = true
	case "no-processes":
		p.NoProcesses = true
	case "syscalls":
		p.Syscalls = true
	case "best-effort":
		p.BestEffort = true
	case "files":
		var name string
		name, rest, _ = strings.Cut(rest, " ")
		p.Files = Files(slices.Index(filesNames[:], name))
		return rest, nil // check finds -1
	case "ro", "rw":
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "", fmt.Errorf("path after %s=: %w", word, err)
		}
		path, err := strconv.Unquote(quoted)
		if err != nil {
			return "", fmt.Errorf("path after %s=: %w", word, err)
		}
		if word == "ro" {
			p.ReadOnly = append(p.ReadOnly, path)
		} else {
			p.ReadWrite = append(p.ReadWrite, path)
		}
		rest = rest[len(quoted):]
	default:
		return "", fmt.Errorf("unknown word %q", word)
	}
	return strings.TrimPrefix(rest, " "), nil
}
