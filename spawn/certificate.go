package spawn

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	birthVariable = "PROGENY_BIRTH"
	procsVariable = "GOMAXPROCS"

	certificateVersion = "1"

	// maxFiles bounds the number of declared files. The kernel's limit on
	// open files is what callers meet; this one is against a hostile variable.
	maxFiles = 1 << 16
)

// A certificate is the value of the birth variable: what the child cannot see
// by itself.
//
//	1:<number of declared files>:<GOMAXPROCS to restore, empty for unset>
type certificate struct {
	files int
	procs string
}

func (c certificate) String() string {
	return certificateVersion + ":" + strconv.Itoa(c.files) + ":" + c.procs
}

func parseCertificate(value string) (certificate, error) {
	version, rest, ok := strings.Cut(value, ":")
	if !ok || version != certificateVersion {
		return certificate{}, fmt.Errorf("malformed %s %q: version is not %s", birthVariable, value, certificateVersion)
	}
	count, procs, ok := strings.Cut(rest, ":")
	files, err := strconv.ParseUint(count, 10, 32)
	if !ok || err != nil || files > maxFiles {
		return certificate{}, fmt.Errorf("malformed %s %q: number of files", birthVariable, value)
	}
	return certificate{files: int(files), procs: procs}, nil
}
