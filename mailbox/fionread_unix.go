//go:build unix && !linux

package mailbox

const fionread = 0x4004667f // _IOR('f', 127, int), sys/filio.h
