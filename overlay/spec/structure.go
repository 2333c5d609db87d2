package spec

// Structure is the structural view of a File.
type Structure struct{}

// Structure returns the structural view of the lines as they stood at the
// last Reclassify.
func (f *File) Structure() *Structure {
	if f.structure == nil {
		f.structure = new(Structure)
	}
	return f.structure
}
