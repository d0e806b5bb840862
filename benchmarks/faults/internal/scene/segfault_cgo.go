package scene

// static void segfault(void) { *(volatile int *)8 = 1; }
import "C"

const hasC = true

func segfault() { C.segfault() }
