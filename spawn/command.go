package spawn

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/progeny-go/progeny/spawn/sandbox"
)

// MaxName is the length in bytes that a Command's Name may have.
const MaxName = 255

// A Command says what to start: always this same program, under another name.
// Start reads it and keeps nothing of it.
type Command struct {
	// Name is what ps shows after "progeny: ", and what errors say. At most
	// MaxName bytes, without NUL.
	Name string

	// Room is how many bytes longer than Name the name may be that the child gives
	// itself later ([Birth.Rename]).
	Room int

	// Env is the environment, "key=value" each. Nil means that of this process
	// as it is when Start is called. Of entries with the same key the last
	// counts. PROGENY_BIRTH, PROGENY_SANDBOX and, until the child's package
	// init has run, GOMAXPROCS are set on top.
	Env []string

	// Dir is the working directory. Empty means the parent's.
	Dir string

	// Procs is GOMAXPROCS of the child's runtime. Zero means 1.
	Procs int

	// Files are given to the child as [Birth].Files, in this order. The caller
	// keeps them and may close them when Start has returned. Both processes
	// then share the open file: its offset and its O_NONBLOCK flag too,
	// which neither side of this package touches.
	Files []*os.File

	// Limits are set by the child before anything of it runs that imports this package.
	Limits Limits

	// Group, if not nil, is what the process is born in.
	Group Group

	// Sandbox confines the child from its first instruction on. Only new processes, with
	// NoProcesses, and new namespaces, with Syscalls, are refused from the child's package
	// init on. Nil means that it does not confine.
	Sandbox *sandbox.Policy
	// User is whose rights the child has; nil means those of this process. It needs
	// CAP_SETUID and CAP_SETGID.
	User *User
	// Namespaces are those that the child does not share with this process. Not
	// together with User.
	Namespaces Namespaces
}

func (c *Command) validate() error {
	switch {
	case len(c.Name) > MaxName:
		return fmt.Errorf("spawn: name of %d bytes is over the limit of %d", len(c.Name), MaxName)
	case strings.IndexByte(c.Name, 0) >= 0:
		return fmt.Errorf("spawn: name %q contains a NUL", c.Name)
	case c.Room < 0 || c.Room > MaxName:
		return fmt.Errorf("spawn %s: Room %d; 0 to %d are possible", c.Name, c.Room, MaxName)
	case c.Procs < 0:
		return fmt.Errorf("spawn %s: negative Procs %d", c.Name, c.Procs)
	}
	if err := c.Limits.validate(); err != nil {
		return fmt.Errorf("spawn %s: %w", c.Name, err)
	}
	for i, f := range c.Files {
		if f == nil {
			return fmt.Errorf("spawn %s: file %d is nil", c.Name, i)
		}
	}
	if err := c.CheckSandbox(); err != nil {
		return fmt.Errorf("spawn %s: %w", c.Name, err)
	}
	return nil
}

// title is what ps shows.
func title(name string) string { return "progeny: " + name }

func (c *Command) argv() []string {
	return []string{title(c.Name) + strings.Repeat(" ", c.Room)}
}

// environ returns the child's environment, with the birth variable in it. Of
// several entries with one key the last is the one, as in os/exec; Go's own
// look-up would take the first.
func (c *Command) environ() []string {
	inherited := c.Env
	if inherited == nil {
		inherited = os.Environ()
	}
	last := make(map[string]int, len(inherited))
	for i, entry := range inherited {
		key, _, _ := strings.Cut(entry, "=")
		last[key] = i
	}
	cert := certificate{files: len(c.Files)}
	env := make([]string, 0, len(last)+2)
	for i, entry := range inherited {
		key, value, _ := strings.Cut(entry, "=")
		switch {
		case last[key] != i || key == birthVariable || key == limitsVariable || key == sandboxVariable:
		case key == procsVariable:
			cert.procs = value
		default:
			env = append(env, entry)
		}
	}
	if c.Limits != (Limits{}) {
		env = append(env, limitsVariable+"="+c.Limits.String())
	}
	if entry := c.sandboxEntry(); entry != "" {
		env = append(env, entry)
	}
	return append(env,
		procsVariable+"="+strconv.Itoa(max(c.Procs, 1)),
		birthVariable+"="+cert.String())
}
