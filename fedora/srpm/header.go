package srpm

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A tag is the number of a header entry, as rpmtag.h of rpm names them.
type tag uint32

// Tags of the main header that rpmbuild -bs sets.
const (
	tagI18NTable      tag = 100
	tagName           tag = 1000
	tagVersion        tag = 1001
	tagRelease        tag = 1002
	tagEpoch          tag = 1003
	tagSummary        tag = 1004
	tagDescription    tag = 1005
	tagBuildTime      tag = 1006
	tagBuildHost      tag = 1007
	tagSize           tag = 1009
	tagDistribution   tag = 1010
	tagVendor         tag = 1011
	tagLicense        tag = 1014
	tagPackager       tag = 1015
	tagGroup          tag = 1016
	tagSource         tag = 1018
	tagPatch          tag = 1019
	tagURL            tag = 1020
	tagOS             tag = 1021
	tagArch           tag = 1022
	tagFileSizes      tag = 1028
	tagFileModes      tag = 1030
	tagFileRdevs      tag = 1033
	tagFileMtimes     tag = 1034
	tagFileDigests    tag = 1035
	tagFileLinktos    tag = 1036
	tagFileFlags      tag = 1037
	tagFileUsers      tag = 1039
	tagFileGroups     tag = 1040
	tagFileVerify     tag = 1045
	tagProvideName    tag = 1047
	tagRequireFlags   tag = 1048
	tagRequireName    tag = 1049
	tagRequireVersion tag = 1050
	tagNoSource       tag = 1051
	tagNoPatch        tag = 1052
	tagConflictFlags  tag = 1053
	tagConflictName   tag = 1054
	tagConflictVer    tag = 1055
	tagExcludeArch    tag = 1059
	tagExcludeOS      tag = 1060
	tagExclusiveArch  tag = 1061
	tagExclusiveOS    tag = 1062
	tagRPMVersion     tag = 1064
	tagChangelogTime  tag = 1080
	tagChangelogName  tag = 1081
	tagChangelogText  tag = 1082
	tagBuildArchs     tag = 1089
	tagCookie         tag = 1094
	tagFileDevices    tag = 1095
	tagFileInodes     tag = 1096
	tagFileLangs      tag = 1097
	tagIsSource       tag = 1106
	tagProvideFlags   tag = 1112
	tagProvideVersion tag = 1113
	tagDirIndexes     tag = 1116
	tagBasenames      tag = 1117
	tagDirnames       tag = 1118
	tagPayloadFormat  tag = 1124
	tagCompressor     tag = 1125
	tagPayloadFlags   tag = 1126
	tagDistTag        tag = 1155
	tagLongFileSizes  tag = 5008
	tagLongSize       tag = 5009
	tagDigestAlgo     tag = 5011
	tagBugURL         tag = 5012
	tagVCS            tag = 5034
	tagEncoding       tag = 5062
	tagPayloadDigest  tag = 5092
	tagPayloadAlgo    tag = 5093
	tagModularity     tag = 5096
	tagPayloadAlt     tag = 5097
	tagSpec           tag = 5099
	tagTranslationURL tag = 5100
	tagUpstream       tag = 5101
)

// Tags of the signature header, and of the regions that hold each header.
const (
	sigLongSize    tag = 270
	sigLongArchive tag = 271
	sigSHA1        tag = 269
	sigSHA256      tag = 273
	sigTotalSize   tag = 1000
	sigMD5         tag = 1004
	sigPayloadSize tag = 1007
	sigReserved    tag = 1008

	regionSignatures tag = 62
	regionImmutable  tag = 63
)

// Types of header entries.
const (
	typeInt16  = 3
	typeInt32  = 4
	typeInt64  = 5
	typeString = 6
	typeBinary = 7
	typeTexts  = 8
	typeI18N   = 9
)

// An entry is one tag with its value as it is stored.
type entry struct {
	tag   tag
	kind  uint32
	count int
	data  []byte
}

// A header is a set of entries.
type header struct{ entries []entry }

func (h *header) put(t tag, kind uint32, count int, data []byte) {
	h.entries = append(h.entries, entry{t, kind, count, data})
}

// text adds a string; "" is none.
func (h *header) text(t tag, s string) {
	if s != "" {
		h.put(t, typeString, 1, append([]byte(s), 0))
	}
}

// texts adds a list of strings; an empty list is none.
func (h *header) texts(t tag, kind uint32, list ...string) {
	if len(list) == 0 {
		return
	}
	var data []byte
	for _, s := range list {
		data = append(append(data, s...), 0)
	}
	h.put(t, kind, len(list), data)
}

func (h *header) int16s(t tag, list ...uint16) {
	var data []byte
	for _, n := range list {
		data = binary.BigEndian.AppendUint16(data, n)
	}
	if len(list) > 0 {
		h.put(t, typeInt16, len(list), data)
	}
}

func (h *header) int32s(t tag, list ...uint32) {
	var data []byte
	for _, n := range list {
		data = binary.BigEndian.AppendUint32(data, n)
	}
	if len(list) > 0 {
		h.put(t, typeInt32, len(list), data)
	}
}

func (h *header) int64s(t tag, list ...uint64) {
	var data []byte
	for _, n := range list {
		data = binary.BigEndian.AppendUint64(data, n)
	}
	if len(list) > 0 {
		h.put(t, typeInt64, len(list), data)
	}
}

// encode returns the header as it is stored: the entries by number, and around
// them a region, whose entry is the first and whose data the last.
func (h *header) encode(region tag) []byte {
	entries := slices.Clone(h.entries)
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.tag, b.tag) })
	n := uint32(len(entries) + 1)
	var index, data []byte
	row := func(to []byte, t tag, kind, offset, count uint32) []byte {
		for _, x := range []uint32{uint32(t), kind, offset, count} {
			to = binary.BigEndian.AppendUint32(to, x)
		}
		return to
	}
	for _, e := range entries {
		align := map[uint32]int{typeInt16: 2, typeInt32: 4, typeInt64: 8}[e.kind]
		for align > 0 && len(data)%align != 0 {
			data = append(data, 0)
		}
		index = row(index, e.tag, e.kind, uint32(len(data)), uint32(e.count))
		data = append(data, e.data...)
	}
	first := row(nil, region, typeBinary, uint32(len(data)), 16)
	data = row(data, region, typeBinary, -(16 * n), 16)

	out := []byte{0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0}
	out = binary.BigEndian.AppendUint32(out, n)
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	return slices.Concat(out, first, index, data)
}
