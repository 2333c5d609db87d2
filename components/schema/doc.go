// Package schema is the table of all keys of the project format, and what is made
// of it: the check of a document, the JSON schema and the reference.
package schema
