package spawn

import "os"

// enter puts p into g, or ends it.
func enter(g Group, p *os.Process) error {
	err := g.Enter(p.Pid)
	if err != nil {
		p.Kill()
		p.Wait()
	}
	return err
}
