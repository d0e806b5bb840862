package spawn

import "os"

// crashFile is an unlinked temporary file. It is read, not mapped: nothing seals
// it against a child that truncates it, and that would be SIGBUS here.
type crashFile struct{ file *os.File }

// newCrashMemory returns the parent's side and the child's.
func newCrashMemory() (crashMemory, *os.File, error) {
	file, err := os.CreateTemp("", "progeny-crash-*")
	if err != nil {
		return nil, nil, err
	}
	err = os.Remove(file.Name())
	var child *os.File
	if err == nil {
		child, err = duplicate(file)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return &crashFile{file}, child, nil
}

func (c *crashFile) text() []byte {
	memory := make([]byte, crashSize)
	n, _ := c.file.ReadAt(memory, 0) // what cannot be read is not there
	return trimCrash(memory[:n])
}

func (c *crashFile) close() error { return c.file.Close() }
