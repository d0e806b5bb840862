//go:build unix

package mailbox

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/progeny-go/progeny/codec"
)

// role names what a process started by these tests is to do.
const role = "MAILBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=0") // for the children
	}
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "count":
		countFrames()
	case "echo":
		echoFrames()
	case "fill":
		fillAndDie()
	}
}

// inherited returns a descriptor that the parent passed, nonblocking.
func inherited(fd int) *os.File {
	if err := syscall.SetNonblock(fd, true); err != nil {
		panic(err)
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("fd %d", fd))
}

// countFrames counts what comes on 3 until EOF and prints it.
func countFrames() {
	r := NewReader(inherited(3), codec.DefaultFrameLimit)
	frames, bytes := 0, 0
	for {
		f, err := r.Next()
		if err != nil {
			fmt.Println(frames, bytes, err)
			return
		}
		frames++
		bytes += len(f.Bytes)
	}
}

// echoFrames sends what comes on 3 back on 4.
func echoFrames() {
	r := NewReader(inherited(3), codec.DefaultFrameLimit)
	w := NewWriter(inherited(4), WriterConfig{})
	for {
		f, err := r.Next()
		if err != nil {
			return
		}
		if err := w.Push(raw(f.Bytes)); err != nil {
			return
		}
	}
}

// fillAndDie writes a frame on 3, starts a process that keeps 3 open until its own
// standard input ends, and exits.
func fillAndDie() {
	w := NewWriter(inherited(3), WriterConfig{})
	if err := w.Push(raw([]byte("last words"))); err != nil {
		panic(err)
	}
	cmd := exec.Command("cat")
	cmd.Stdin = os.Stdin
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "")}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	os.Exit(7)
}

// child starts this test binary in a role with further files at 3, 4, …, and closes them here.
func child(tb testing.TB, what string, files ...*os.File) *exec.Cmd {
	tb.Helper()
	cmd := exec.Command("/proc/self/exe")
	if _, err := os.Stat(cmd.Path); err != nil {
		cmd.Path = os.Args[0]
	}
	cmd.Env = append(os.Environ(), role+"="+what)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = files
	return cmd
}

// startChild starts cmd and closes the files passed to it.
func startChild(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
}

func pipe(tb testing.TB) (r, w *os.File) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// raw makes a frame of content: msgpack bin32.
func raw(content []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0xc6}, uint32(len(content)))
	return append(b, content...)
}

// frame makes a frame of size bytes in all.
func frame(size int) []byte { return raw(make([]byte, size-5)) }

// firstLine reads a line that a child prints.
func firstLine(tb testing.TB, r io.Reader) string {
	tb.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(line)
}
