package wire

import (
	"fmt"
	"math/bits"
	"strings"
)

// A Sandbox is how a process is confined. See actor.Sandbox.
type Sandbox struct {
	Policy     string // as sandbox.Policy writes it
	EmptyEnv   bool
	User       *User
	Namespaces uint8 // spawn.Namespaces
	BestEffort bool
}

// A User is whose rights a process has.
type User struct{ UID, GID uint32 }

// Equal reports whether both are the same.
func (s *Sandbox) Equal(other *Sandbox) bool {
	if s == nil || other == nil {
		return s == other
	}
	a, b := *s, *other
	a.User, b.User = nil, nil
	return a == b && (s.User == nil) == (other.User == nil) && (s.User == nil || *s.User == *other.User)
}

// Services are what an actor may ask of its node.
type Services uint8

// The bits of Services.
const (
	Spawning Services = 1 << iota
	Lookups
	Monitoring
	Managing
	Timers

	allServices = 1<<iota - 1
)

var serviceNames = [...]string{"spawning", "lookups", "monitoring", "managing", "timers"}

// String returns the names, joined by "|"; "none" for zero.
func (s Services) String() string {
	var names []string
	for rest := uint8(s); rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros8(rest); i < len(serviceNames) {
			names = append(names, serviceNames[i])
		} else {
			names = append(names, fmt.Sprintf("%#x", 1<<i))
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, "|")
}

// needs says which Services a service belongs to: one that denies any of them denies it.
// Those that end something (node.demonitor) belong to none.
func needs(service string) Services {
	switch service {
	case ServiceSpawn:
		return Spawning
	case ServiceStartChild, ServiceRestartChild:
		return Spawning | Managing
	case ServiceTerminateChild, ServiceDeleteChild, ServiceStop, ServiceKill, ServiceExit:
		return Managing
	case ServiceLink:
		return Managing | Monitoring // its end ends the other one
	case ServiceMonitor:
		return Monitoring
	case ServiceLookup, ServiceChildren:
		return Lookups
	case ServiceTimer:
		return Timers
	}
	return 0
}

// Denies returns which bits of s deny the service of that name.
func (s Services) Denies(service string) Services { return s & needs(service) }
