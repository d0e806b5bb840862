package main

// With cgo this program is loaded by the C library's loader, and has its threads.

import "C"
