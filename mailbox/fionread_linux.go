package mailbox

import "golang.org/x/sys/unix"

const fionread = unix.TIOCINQ // the same request by its other name
