package overlay

func (r *run) addTag() error                       { return nil }
func (r *run) insertTag() error                    { return nil }
func (r *run) setTag() error                       { return nil }
func (r *run) updateTag() error                    { return nil }
func (r *run) removeTag() error                    { return nil }
func (r *run) prependLines() error                 { return nil }
func (r *run) appendLines() error                  { return nil }
func (r *run) searchReplace() error                { return nil }
func (r *run) removeSection() error                { return nil }
func (r *run) removeSubpackage() error             { return nil }
func (r *run) patchAdd() error                     { return nil }
func (r *run) patchRemove() error                  { return nil }
func (r *run) filePrependLines() error             { return nil }
func (r *run) fileSearchReplace() error            { return nil }
func (r *run) fileAdd() error                      { return nil }
func (r *run) fileRemove() error                   { return nil }
func (r *run) fileRename() error                   { return nil }
func matchFile(pattern, name string) (bool, error) { return pattern == name, nil }
