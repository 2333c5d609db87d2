package distgit

import (
	"context"
	"os"
	"os/exec"
	"strings"
)

// An Identity is what git is configured to call the user, and whether it tells
// executable files apart.
type Identity struct {
	Name, Email string // empty when not configured
	FileMode    bool   // core.fileMode
}

// Identity reads user.name, user.email and core.fileMode as git sees them in
// the repository, the user's own configuration included. Reading
// configuration runs nothing.
func (r *Repo) Identity(ctx context.Context) (Identity, error) {
	id := Identity{FileMode: true}
	if err := r.git.prepare(); err != nil {
		return id, err
	}
	cmd := exec.CommandContext(ctx, r.git.Path, "--git-dir="+r.at.GitDir, "config", "--null", "--list")
	cmd.Dir = "/"
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); !strings.HasPrefix(name, "GIT_") || strings.HasPrefix(name, "GIT_CONFIG_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	out, err := Output(cmd)
	if err != nil {
		return id, err
	}
	for kv := range strings.SplitSeq(string(out), "\x00") {
		key, value, _ := strings.Cut(kv, "\n")
		switch key {
		case "user.name":
			id.Name = value
		case "user.email":
			id.Email = value
		case "core.filemode":
			id.FileMode = value != "false" && value != "no" && value != "off" && value != "0"
		}
	}
	return id, nil
}
