package plan

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// matrixJobs is how many jobs a matrix of GitHub may have.
const matrixJobs = 256

// writeGitHub writes a workflow. A wave is one job with a matrix, or several when
// it has more components than a matrix may; the next wave needs all of them.
func writeGitHub(p *Plan, w io.Writer, g *Graph, farm Farm) error {
	type include struct {
		Component string `json:"component"`
		Command   string `json:"command"`
	}
	jobs := object{}
	var before []string
	for i, wave := range p.Waves {
		var now []string
		chunks := (len(wave) + matrixJobs - 1) / matrixJobs
		for c := range chunks {
			var list []include
			for _, s := range p.Steps {
				if s.Wave == i+1 {
					list = append(list, include{s.Component, p.fill(farm.Command, g, &s)})
				}
			}
			list = list[c*matrixJobs : min(len(list), (c+1)*matrixJobs)]
			name := fmt.Sprintf("wave-%d", i+1)
			if chunks > 1 {
				name += fmt.Sprintf("-%d", c+1)
			}
			now = append(now, name)
			job := object{
				{"name", fmt.Sprintf("wave %d: ${{ matrix.component }}", i+1)},
				{"runs-on", "ubuntu-latest"},
			}
			if farm.Image != "" {
				job = append(job, member{"container", farm.Image})
			}
			if len(before) > 0 {
				job = append(job, member{"needs", before})
			}
			job = append(job,
				member{"strategy", object{{"fail-fast", false}, {"matrix", object{{"include", list}}}}},
				member{"steps", []any{
					object{{"uses", "actions/checkout@v4"}, {"with", object{{"fetch-depth", 0}}}},
					object{{"name", "build"}, {"shell", "sh"}, {"run", `sh -ec "$COMMAND"`}, {"env", object{{"COMMAND", "${{ matrix.command }}"}}}},
				}})
			jobs = append(jobs, member{name, job})
		}
		before = now
	}
	return writeObject(w, object{
		{"name", "build"},
		{"on", object{{"workflow_dispatch", object{}}}},
		{"jobs", jobs},
	})
}

// writeKubernetes writes Indexed Jobs and the lists that they work off. The
// completion index is the number of the line. All waves but the first are
// suspended: who drives the plan resumes each when the one before is complete.
func writeKubernetes(p *Plan, w io.Writer, g *Graph, farm Farm) error {
	base := orText(farm.Project, "plan")
	if !dnsLabel(base) || len(base) > 40 {
		return fmt.Errorf("%q cannot be the name of a Kubernetes job: small letters, digits and '-', 40 at most", base)
	}
	image := orText(farm.Image, "registry.example.org/builder:latest")
	var items []any
	lists := object{}
	for i := range p.Waves {
		var text strings.Builder
		for _, s := range p.Steps {
			if s.Wave == i+1 {
				text.WriteString(p.fill(farm.Command, g, &s) + "\n")
			}
		}
		lists = append(lists, member{fmt.Sprintf("wave-%d", i+1), text.String()})
	}
	items = append(items, object{
		{"apiVersion", "v1"}, {"kind", "ConfigMap"},
		{"metadata", object{{"name", base}}},
		{"data", lists},
	})
	if farm.Shards > 0 {
		items = append(items, indexedJob(base+"-prepare", base, image, farm.Shards, false, []string{
			"specgraft", "srpm", "build", "-a", "--shard", fmt.Sprintf("$(JOB_COMPLETION_INDEX)/%d", farm.Shards), "-o", "/srv/srpms", "--cache-dir", "/srv/cache"}))
	}
	for i, wave := range p.Waves {
		name := fmt.Sprintf("%s-wave-%d", base, i+1)
		items = append(items, indexedJob(name, base, image, len(wave), i > 0 || farm.Shards > 0, []string{
			"sh", "-ec", fmt.Sprintf(`command=$(sed -n "$((JOB_COMPLETION_INDEX + 1))p" /plan/wave-%d); exec sh -ec "$command"`, i+1)}))
	}
	return writeObject(w, object{{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}})
}

// indexedJob returns a job with one completion per index, each tried once.
func indexedJob(name, list, image string, completions int, suspend bool, command []string) object {
	return object{
		{"apiVersion", "batch/v1"}, {"kind", "Job"},
		{"metadata", object{{"name", name}}},
		{"spec", object{
			{"completionMode", "Indexed"},
			{"completions", completions},
			{"parallelism", min(completions, 50)},
			{"backoffLimitPerIndex", 0},
			{"suspend", suspend},
			{"template", object{
				{"spec", object{
					{"restartPolicy", "Never"},
					{"containers", []any{object{
						{"name", "build"}, {"image", image}, {"command", command},
						{"volumeMounts", []any{
							object{{"name", "plan"}, {"mountPath", "/plan"}},
							object{{"name", "srv"}, {"mountPath", "/srv"}},
						}},
					}}},
					{"volumes", []any{
						object{{"name", "plan"}, {"configMap", object{{"name", list}}}},
						object{{"name", "srv"}, {"persistentVolumeClaim", object{{"claimName", list}}}},
					}},
				}},
			}},
		}},
	}
}

// dnsLabel reports whether a name is one of RFC 1123.
func dnsLabel(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-' && s[len(s)-1] != '-'
}

// An object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// marshal is json.Marshal that leaves < and & as they are.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(strings.TrimSuffix(b.String(), "\n")), err
}

func writeObject(w io.Writer, o object) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(o)
}
