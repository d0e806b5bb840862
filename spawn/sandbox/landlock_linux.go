package sandbox

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock's rights in the file system, see landlock(7).
const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR

	// writeRights are those of ABI 1.
	writeRights = unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM

	// fileRights are those that a rule on something other than a directory may
	// give. The kernel refuses others with EINVAL.
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV | unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX
)

// The ABIs that brought what is used here. Rights of later ones are not known.
const (
	abiRefer       = 2  // Linux 5.19
	abiTruncate    = 3  // 6.2
	abiTCP         = 4  // 6.7
	abiIoctl       = 5  // 6.10
	abiScope       = 6  // 6.12
	abiResolveUnix = 9  // 7.1
	abiUDP         = 10 // 7.2
)

// writeRightsOf returns those that a kernel with this ABI knows; a right that it
// does not know would make it refuse the ruleset. Without the right to
// refer, ABI 1 refuses all renames and links between directories.
func writeRightsOf(abi int) uint64 {
	rights := uint64(writeRights)
	if abi >= abiRefer {
		rights |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= abiTruncate {
		rights |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= abiIoctl {
		rights |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if abi >= abiResolveUnix {
		rights |= unix.LANDLOCK_ACCESS_FS_RESOLVE_UNIX
	}
	return rights
}

// wantsFilter reports whether p would use seccomp.
func (p *Policy) wantsFilter() bool { return p.NoNetwork || p.NoProcesses || p.Syscalls }

// wantsDomain reports whether p would use Landlock.
func (p *Policy) wantsDomain() bool {
	return p.Files != Unrestricted || p.NoNetwork || p.Syscalls
}

// domain returns what is refused, but for the rules' exceptions, by a kernel
// with this ABI. Zero means that there is nothing for Landlock to do.
func (p *Policy) domain(abi int) (attr unix.LandlockRulesetAttr) {
	if abi < 1 || !p.wantsDomain() {
		return attr
	}
	switch p.Files {
	case ReadOnly:
		attr.Handled_access_fs = writeRightsOf(abi)
	case Listed:
		attr.Handled_access_fs = writeRightsOf(abi) | readRights
	}
	if p.NoNetwork && abi >= abiTCP {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if p.NoNetwork && abi >= abiUDP {
		attr.Handled_access_net |= unix.LANDLOCK_ACCESS_NET_BIND_UDP | unix.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
	}
	if abi >= abiScope {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		if p.NoNetwork {
			attr.Scoped |= unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
		}
	}
	return attr
}

// planLandlock does the part of plan that domain decides. Only Files rests on
// Landlock alone; NoNetwork rests on seccomp.
func (p *Policy) planLandlock(k kernel, c *Confinement) (lacks []string) {
	have := func(wanted bool, abi int, what string) bool {
		if wanted && k.abi >= abi {
			c.InForce = append(c.InForce, "landlock: "+what)
		}
		return !wanted || k.abi >= abi
	}
	extra := func(wanted bool, abi int, what string) {
		if !have(wanted, abi, what) {
			c.Missing = append(c.Missing, fmt.Sprintf("landlock: %s: %s", what, k.needs(abi)))
		}
	}
	files := p.Files != Unrestricted
	if !have(files, 1, "files "+p.Files.String()) {
		lacks = append(lacks, fmt.Sprintf("files %v: %s", p.Files, k.needs(abiTruncate)))
	} else if !have(files, abiTruncate, "no truncation") {
		lacks = append(lacks, fmt.Sprintf("files %v, against truncate(2) and O_TRUNC: %s", p.Files, k.needs(abiTruncate)))
	}
	extra(files, abiIoctl, "no ioctl on devices")
	extra(files, abiResolveUnix, "no connection to sockets by path")
	extra(p.NoNetwork, abiTCP, "no TCP")
	extra(p.NoNetwork, abiUDP, "no UDP")
	extra(p.NoNetwork, abiScope, "no connection to abstract sockets")
	extra(true, abiScope, "no signals to others")
	return lacks
}

func (k kernel) needs(abi int) string {
	if k.landlock != nil {
		return k.landlock.Error()
	}
	return fmt.Sprintf("needs Landlock ABI %d, this kernel has %d", abi, k.abi)
}

// ruleset makes a ruleset of attr and the rules, and returns its descriptor.
func (p *Policy) ruleset(attr *unix.LandlockRulesetAttr) (fd int, err error) {
	// An older kernel accepts a larger struct whose end is zero.
	r, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr), 0)
	if errno != 0 {
		return -1, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	fd = int(r)
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if p.Files == Unrestricted {
		return fd, nil
	}
	handled := attr.Handled_access_fs
	rules, err := p.startRules(handled)
	if err != nil {
		return -1, err
	}
	for _, path := range p.ReadOnly {
		rules = append(rules, rule{path: path, rights: readRights})
	}
	write := handled &^ unix.LANDLOCK_ACCESS_FS_EXECUTE
	for _, path := range p.ReadWrite {
		rules = append(rules, rule{path: path, rights: write})
	}
	for _, r := range rules {
		if err := r.add(fd, handled); err != nil {
			return -1, err
		}
	}
	return fd, nil
}

// A rule gives rights beneath a path.
type rule struct {
	path     string
	rights   uint64
	optional bool // if there is no such file, no rule
}

// add adds r to a ruleset, with those rights that it handles.
func (r rule) add(ruleset int, handled uint64) error {
	fd, err := unix.Open(r.path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		if r.optional && err == unix.ENOENT {
			return nil
		}
		return &os.PathError{Op: "open", Path: r.path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: r.path, Err: err}
	}
	rights := r.rights & handled
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	if rights == 0 {
		return nil // the kernel refuses an empty rule with ENOMSG
	}
	// The kernel's struct is packed: these twelve bytes, without the padding.
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(fd)}
	_, _, errno := unix.RawSyscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if errno != 0 {
		return &os.PathError{Op: "landlock_add_rule", Path: r.path, Err: errno}
	}
	return nil
}

func restrictSelf(ruleset int) error {
	_, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("landlock_restrict_self", errno)
	}
	return nil
}
