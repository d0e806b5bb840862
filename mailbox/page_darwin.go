package mailbox

import "os"

// newPageFile makes a temporary file and unlinks it. Nothing seals its size.
func newPageFile() (*os.File, error) {
	f, err := os.CreateTemp("", "progeny-page-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Truncate(pageMemory); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
