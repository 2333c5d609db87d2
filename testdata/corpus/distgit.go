package corpus

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Distgit returns the directory that SPECGRAFT_DISTGIT names, which the corpus' own
// make-distgit has filled: the real configuration in project, and its upstream
// repositories. The test is skipped where there is none.
func Distgit(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("SPECGRAFT_DISTGIT")
	if dir == "" {
		tb.Skip("NOT CHECKED: SPECGRAFT_DISTGIT names no directory that the corpus' make-distgit has filled")
	}
	return dir
}

// MakeDistgit is Distgit for tests that can wait: where SPECGRAFT_DISTGIT names no
// directory, one is made of the corpus. The test is skipped without the corpus, by
// -short, and without python3, which make-distgit is written in.
func MakeDistgit(tb testing.TB) string {
	tb.Helper()
	corpus := Dir(tb)
	if dir := os.Getenv("SPECGRAFT_DISTGIT"); dir != "" {
		return dir
	}
	if testing.Short() {
		tb.Skip("NOT CHECKED: the corpus takes too long for -short")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		tb.Skip("NOT CHECKED: the corpus needs python3 to make its repositories")
	}
	out := filepath.Join(tb.TempDir(), "out")
	cmd := exec.Command(python, filepath.Join(corpus, "make-distgit"), out,
		"--project", filepath.Join(out, "project"), filepath.Join(corpus, "dev", "upstream.tar.xz"))
	if msg, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("make-distgit: %v\n%s", err, msg)
	}
	return out
}
