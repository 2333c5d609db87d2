package repodata

import "encoding/base64"

// packed are the two documents of the tests as bzip2 packs them, which we only read.
var packed = map[string]string{
	primaryXML: "QlpoOTFBWSZTWdPH98kAAHzfgAAQUWP/X4emLiC/7/9gQAIndzDp3bhJJIyNNGRoyaAAAAAASiaFBk01GNAMoGRgAyTTQSmqIyD1APUAZAAADQNBJETImpho" +
		"2ojahoGQAAaNLiQ90YZkfkMLcuo4XVtsmLQRv7nVKCZTFVVbE5voc/BjAG81jYYqaQfp7PRvbQ63KJ6AoJI85e+MLUSjHLpugD9h/EFaxJhSNtiGYW1qhk7c" +
		"1xuPfXK/6SMNiQ8syzQXpJn7ZdcJ4TO5RQiTJIQhDJkFiFMgTrcRXBLKe40jkDPU/bxpjagQZ6kaFRwqkXkR6rCEJh0RnDDezc+rywo6NWtHAK7Hp9zpfFn0" +
		"ocN6MA5UFC8ojWG8DCo/ee1umQ5FDBYSJowC1iGzc9hILnImK8sLDxLrTOaNAMMxAioDGwcegZyspwILfM3HqiCIlchVDK2NbM9YaYGXMalFWg7tQjn1Ig44" +
		"fuRBoGDXpKCJC0bT6wvGEtwFZO7ESGL6cE86IQlSjpaMd2k4wECopxHEhDDQMFqQOa5r0kxM2KTLINzImVlyiVUIJOX2ovCBiZy9YqGYwMZEyeCNLkkkV2Lo" +
		"h1QgZkWx4USNkRFxrQ6qVmIEkkklmjlIKl9CQWpqQdiYVRxE9Etk5dy2qgmmmvZHCRQuzGVF/QURoOAxEUzGTLCYsY1R6Zy7zqKJZUfxdyRThQkNPH98kA==",
	filelistsXML: "QlpoOTFBWSZTWcNYrmgAADHfgAAQUAP9V4EABgC/799wMADjMEoiCAeTSbUYE0GTTQEoU1HtTTSGhtQ0AAAElCMpobTU8oNBoABoeg1PCpaKq982s3/r5XOf" +
		"FBnukqkQK8Cb65tdG6wOy857NZCY6BLbtQuMSBe8+LrkztwFUFRc7qX47MoEyzjWN8waiqEVYlXrJsSDKUGaIUGY4dolzsNYkiLN0Bza40w2F9ksxP6PHpQx" +
		"e5UHKt88t4UBjCbpoiS9reNis5iC121PGtUEddJLUXJErWDlVcVcjVFbyLFU1lNi5sLywl+UsfOjZAgw4tGc1mhK0ureMk24ToTS14ZVtoYzjCZ9MX8XckU4" +
		"UJDDWK5o",
}

// bzip2 returns one of the documents, packed.
func bzip2(text string) ([]byte, error) { return base64.StdEncoding.DecodeString(packed[text]) }
