package spawn

// Looking at the file early, before anybody can have replaced it, is what makes
// a replaced one noticed later.
func init() { executable() }

func findExecutable() (exe, error) { return exeByPath() }
