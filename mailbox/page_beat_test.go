package mailbox

import "testing"

func TestPageBeat(t *testing.T) {
	page, file, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	other, err := OpenPage(file)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if n := page.LastBeat(); n != 0 {
		t.Errorf("LastBeat = %d before any, want 0", n)
	}
	other.Beat(7)
	if n := page.LastBeat(); n != 7 {
		t.Errorf("LastBeat = %d, want 7", n)
	}
	if begun, finished := page.Progress(); begun != 0 || finished != 0 {
		t.Errorf("Progress = %d, %d after a beat, want 0, 0", begun, finished)
	}
	page.Close()
	if n := page.LastBeat(); n != 0 {
		t.Errorf("LastBeat = %d after Close, want 0", n)
	}
}
