package autospec

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"specgraft/fedora/cache"
)

// A Cache keeps Logs on disk, one file per package. It holds facts only, so
// it may be removed at any time. The zero Cache keeps nothing.
type Cache struct {
	Dir string
}

// maxLog is more bytes than the facts about any history take.
const maxLog = 256 << 20

// Log returns the Log of a spec in the repository that key names, usually its
// URL, with what earlier runs have found out. A file that cannot be read
// or is damaged counts as absent. open is called only for what is not in it.
func (c Cache) Log(key, spec string, open func() (History, error)) *Log {
	l := NewLog(spec, open)
	if c.Dir == "" {
		return l
	}
	sum := sha256.Sum256([]byte(key + "\x00" + spec))
	name := hex.EncodeToString(sum[:])
	l.path = filepath.Join(c.Dir, name[:2], name[2:40])
	if data, err := cache.ReadBounded(l.path, maxLog); err == nil {
		if err := l.decode(data); err != nil {
			*l = *NewLog(spec, open)
			l.path = filepath.Join(c.Dir, name[:2], name[2:40])
		}
	}
	return l
}

// Save writes a Log that came from a Cache if it has learned something.
// Several processes may write at once: the last one wins, nothing breaks.
func (c Cache) Save(l *Log) error {
	if l == nil || l.path == "" || !l.learned {
		return nil
	}
	if err := cache.Write(l.path, l.encode()); err != nil {
		return err
	}
	l.learned = false
	return nil
}

// A Log on disk is a magic line, a checksum of the rest, a table of strings, and
// records that refer to strings by number. All numbers are varints.
const logMagic = "specgraft log 1\n"

// encoder writes records and collects their strings.
type encoder struct {
	records []byte
	index   map[string]uint64
	table   []byte
}

func (e *encoder) number(n uint64) { e.records = binary.AppendUvarint(e.records, n) }

func (e *encoder) flag(set bool) {
	e.records = append(e.records, 0)
	if set {
		e.records[len(e.records)-1] = 1
	}
}

func (e *encoder) text(s string) {
	i, ok := e.index[s]
	if !ok {
		i = uint64(len(e.index))
		e.index[s] = i
		e.table = binary.AppendUvarint(e.table, uint64(len(s)))
		e.table = append(e.table, s...)
	}
	e.number(i)
}

func (e *encoder) entry(x entry) {
	e.text(x.id)
	e.number(uint64(x.mode))
}

// encode returns the Log as bytes, the same for the same content.
func (l *Log) encode() []byte {
	e := &encoder{index: map[string]uint64{}}
	ids := sortedKeys(l.commits)
	ids = slices.DeleteFunc(ids, func(id string) bool { return l.commits[id].boundary })
	e.number(uint64(len(ids)))
	for _, id := range ids {
		c := l.commits[id]
		e.text(c.id)
		e.number(uint64(len(c.parents)))
		for _, p := range c.parents {
			e.text(p)
		}
		full := c.keep && !c.bare
		e.flag(full)
		if !full {
			continue
		}
		e.text(c.tree)
		e.text(c.author)
		e.records = binary.AppendVarint(e.records, c.time)
		e.text(c.encoding)
		e.text(c.message)
		e.flag(c.looked)
		if c.looked {
			e.entry(c.spec)
			e.entry(c.changelog)
		}
	}
	keys := l.keptFacts()
	e.number(uint64(len(keys)))
	for _, key := range keys {
		f := l.facts[key]
		e.text(key)
		e.text(f.EpochVersion)
		e.text(f.Flags.Extraver)
		e.text(f.Flags.Snapinfo)
		e.flag(f.Flags.Prerelease)
		e.number(uint64(f.Flags.Base))
		e.text(f.Error)
		e.text(f.Reason)
		e.flag(f.Unknown)
		e.flag(f.AskedFiles)
	}
	e.number(uint64(len(l.blobs)))
	for _, id := range sortedKeys(l.blobs) {
		e.text(id)
		e.text(string(l.blobs[id]))
	}
	body := binary.AppendUvarint(nil, uint64(len(e.index)))
	body = append(body, e.table...)
	body = append(body, e.records...)
	return sealLog(body)
}

// keptFacts returns the keys of the facts that are worth keeping, in order: those
// that were used, and those about specs in the history, unless they come from
// another evaluator than the present one. What remains are rendered
// specs of earlier runs and the findings of earlier versions of the tool.
func (l *Log) keptFacts() []string {
	inHistory := map[string]bool{}
	for _, c := range l.commits {
		inHistory[c.spec.id] = true
	}
	return slices.DeleteFunc(sortedKeys(l.facts), func(key string) bool {
		evaluator, rest, _ := strings.Cut(key, " ")
		blob, _, _ := strings.Cut(rest, " ")
		return !l.facts[key].used && (!inHistory[blob] || l.evaluator != "" && evaluator != l.evaluator)
	})
}

// sealLog puts magic line and checksum before the body of a Log.
func sealLog(body []byte) []byte {
	sum := sha256.Sum256(body)
	return slices.Concat([]byte(logMagic), sum[:], body)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

var errDamaged = errors.New("the log is damaged")

// decoder reads what encoder wrote. After the first error it yields zeros.
type logDecoder struct {
	rest  string
	table []string
	err   error
}

func (d *logDecoder) fail() {
	d.err = errDamaged
	d.rest = ""
}

func (d *logDecoder) number() uint64 {
	var n uint64
	for i := 0; i < len(d.rest) && i < binary.MaxVarintLen64; i++ {
		b := d.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.rest = d.rest[i+1:]
			return n
		}
	}
	d.fail()
	return 0
}

// count reads how many records of at least one byte follow.
func (d *logDecoder) count() int {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *logDecoder) signed() int64 {
	n := d.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *logDecoder) flag() bool {
	if d.rest == "" {
		d.fail()
		return false
	}
	set := d.rest[0] != 0
	d.rest = d.rest[1:]
	return set
}

func (d *logDecoder) bytes() string {
	n := d.count()
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *logDecoder) text() string {
	i := d.number()
	if i >= uint64(len(d.table)) {
		d.fail()
		return ""
	}
	return d.table[i]
}

func (d *logDecoder) entry() entry {
	return entry{id: d.text(), mode: uint32(d.number())}
}

// decode fills an empty Log.
func (l *Log) decode(data []byte) error {
	body, ok := bytes.CutPrefix(data, []byte(logMagic))
	if !ok || len(body) < sha256.Size {
		return errDamaged
	}
	if sum := sha256.Sum256(body[sha256.Size:]); !bytes.Equal(sum[:], body[:sha256.Size]) {
		return errDamaged
	}
	d := &logDecoder{rest: string(body[sha256.Size:])}
	d.table = make([]string, d.count())
	for i := range d.table {
		d.table[i] = d.bytes()
	}
	n := d.count()
	commits := make([]commit, n)
	for i := range commits {
		c := &commits[i]
		c.id = d.text()
		if n := d.count(); n > 0 {
			c.parents = make([]string, n)
			for i := range c.parents {
				c.parents[i] = d.text()
			}
		}
		l.commits[c.id] = c
		if c.bare = !d.flag(); c.bare {
			continue
		}
		c.keep = true
		c.tree, c.author, c.time = d.text(), d.text(), d.signed()
		c.encoding, c.message = d.text(), d.text()
		if c.looked = d.flag(); c.looked {
			c.spec, c.changelog = d.entry(), d.entry()
		}
	}
	for range d.count() {
		key, f := d.text(), &fact{}
		f.EpochVersion, f.Flags.Extraver, f.Flags.Snapinfo = d.text(), d.text(), d.text()
		f.Flags.Prerelease, f.Flags.Base = d.flag(), int64(d.number())
		f.Error, f.Reason, f.Unknown, f.AskedFiles = d.text(), d.text(), d.flag(), d.flag()
		l.facts[key] = f
	}
	for range d.count() {
		id := d.text()
		l.blobs[id] = []byte(d.text())
	}
	if d.err == nil && d.rest != "" {
		return errDamaged
	}
	return d.err
}
