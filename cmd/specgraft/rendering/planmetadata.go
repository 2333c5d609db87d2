package rendering

import (
	"errors"
	"strings"

	"specgraft/components"
	"specgraft/fedora/repodata"
)

// findRepositories finds the metadata of built packages: that in the directories of
// --repodata, else what the cache has of the repositories that the project names.
func (j *planJob) findRepositories(p *components.Project) error {
	if len(j.o.repodata) > 0 {
		for _, dir := range j.o.repodata {
			j.planner.Repositories = append(j.planner.Repositories, repodata.InDir(dir))
		}
		return nil
	}
	repos, problems := p.BuildRepositoriesFor(j.o.arches)
	if len(repos) == 0 {
		return nil
	}
	kept, err := j.g.KeptMetadata(nil)
	if err != nil {
		return err
	}
	for _, r := range repos {
		read := kept.Reader(r.Address)
		j.planner.Repositories = append(j.planner.Repositories, func(files []string) ([]repodata.Built, error) {
			list, err := read(files)
			if errors.Is(err, repodata.ErrNotKept) {
				j.unfetched++
				return nil, nil
			}
			return list, err
		})
	}
	for _, d := range problems {
		j.g.Note("%s", d.Message)
	}
	return nil
}

// sayUnfetched names the command that fetches metadata, when some of it is missing.
func (j *planJob) sayUnfetched() {
	if j.unfetched == 0 {
		return
	}
	j.g.Note("the metadata of %d repositor%s is not in the cache; 'specgraft repo fetch%s' brings it there", j.unfetched,
		map[bool]string{true: "y", false: "ies"}[j.unfetched == 1], strings.Join(append([]string{""}, j.o.arches...), " --arch "))
}

// wantsMetadata says where more is known about what provides a requirement, when no
// repository was asked.
func (j *planJob) wantsMetadata() string {
	if len(j.planner.Repositories) > 0 {
		return ""
	}
	return ", and --repodata DIR may know who does"
}
