package spawn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/progeny-go/progeny/spawn/sandbox"
)

// sandboxVariable carries what the child has to do for [Command].Sandbox.
const sandboxVariable = "PROGENY_SANDBOX"

// A User is whose rights a process has: that user and that group, and no other groups.
type User struct{ UID, GID uint32 }

// noID is what setuid(2) takes for no user.
const noID = 1<<32 - 1

// Namespaces are kinds of namespaces, see namespaces(7). A process in new ones of any
// kind is in a user namespace of its own as well, in which no user is mapped: it has no
// capabilities, even if root has started it, and whoever it asks, it is the
// overflow user (65534). The files that it may use are those of its user as before.
type Namespaces uint8

// The kinds of Namespaces.
const (
	UserNamespace  Namespaces = 1 << iota // capabilities
	PIDNamespace                          // processes: it is number 1, and sees and signals no others; /proc stays the old one
	NetNamespace                          // interfaces, of which it has none that is up; abstract Unix sockets
	IPCNamespace                          // System V IPC and POSIX message queues
	UTSNamespace                          // the host's name
	MountNamespace                        // mounts: those made later elsewhere do not appear

	allNamespaces = 1<<iota - 1
)

var namespaceNames = [...]string{"user", "pid", "net", "ipc", "uts", "mount"}

// String returns the names, joined by "|"; "none" for zero.
func (n Namespaces) String() string {
	var names []string
	for i, name := range namespaceNames {
		if n&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if n > allNamespaces {
		names = append(names, "unknown")
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "|")
}

// CheckSandbox says what is wrong with User and Namespaces, as Start does, whatever
// this machine can do.
func (c *Command) CheckSandbox() error {
	if u := c.User; u != nil && (u.UID == noID || u.GID == noID) {
		return fmt.Errorf("user %d, group %d: %d stands for none", u.UID, u.GID, uint32(noID))
	}
	if c.Namespaces > allNamespaces {
		return fmt.Errorf("unknown namespaces %#x", uint8(c.Namespaces))
	}
	if c.User != nil && c.Namespaces != 0 {
		return errors.New("both a user and namespaces: in these no other user is known")
	}
	return nil
}

// sandboxEntry is the child's part of the policy, for its environment; "" for none.
func (c *Command) sandboxEntry() string {
	if c.Sandbox == nil {
		return ""
	}
	inside := c.Sandbox.Inside()
	if inside.Empty() {
		return ""
	}
	text, err := inside.MarshalText()
	if err != nil { // it has no paths
		panic(err)
	}
	return sandboxVariable + "=" + string(text)
}

// applySandbox does what the parent has asked for by sandboxEntry.
func applySandbox(text string) error {
	var p sandbox.Policy
	if err := p.UnmarshalText([]byte(text)); err != nil {
		return err
	}
	return p.ApplyInside()
}
