package demo

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
)

// file is an attachment; its bytes are made when they are first needed.
type file struct {
	kind string
	data func() []byte
}

var (
	pngFile = &file{"image/png", sync.OnceValue(drawChart)}
	pdfFile = &file{"application/pdf", sync.OnceValue(printPage)}
	zipFile = &file{"application/zip", sync.OnceValue(packLogs)}
	csvFile = &file{"text/csv", sync.OnceValue(listFigures)}
)

// drawChart is a small picture of a tide.
func drawChart() []byte {
	img := image.NewPaletted(image.Rect(0, 0, 160, 60), color.Palette{color.White, color.RGBA{30, 90, 160, 255}})
	for x := range 160 {
		height := 30 + (x*x/23+x)%25
		for y := 60 - height; y < 60; y++ {
			img.SetColorIndex(x, y, 1)
		}
	}
	var b bytes.Buffer
	// A bytes.Buffer takes everything, and the picture is well-formed.
	_ = png.Encode(&b, img)
	return b.Bytes()
}

// printPage is a PDF of one page and one line.
func printPage() []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R" +
		" /Resources << /Font << /F1 5 0 R >> >> >>")
	line := "BT /F1 24 Tf 72 760 Td (Thank you for your order.) Tj ET"
	object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(line), line))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

// packLogs is an archive with a log in it.
func packLogs() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	// A bytes.Buffer takes everything.
	if w, err := z.Create("log.txt"); err == nil {
		_, _ = w.Write([]byte(strings.Repeat("connected, selected, idling\n", 40)))
	}
	_ = z.Close()
	return b.Bytes()
}

// listFigures is a table.
func listFigures() []byte {
	var b strings.Builder
	b.WriteString("month,visitors,returning\r\n")
	for month := range 12 {
		fmt.Fprintf(&b, "2026-%02d,%d,%d\r\n", month+1, 900+37*month, 400+21*month)
	}
	return []byte(b.String())
}

// pgpSignature looks like one; nobody's key made it.
const pgpSignature = `-----BEGIN PGP SIGNATURE-----

iHUEARYKAB0WIQTfakedemosignatureonlyforshowFAmZ0AAAKCRDdemodemodem
oCl8AP9example0example0example0example0example0example0exampleAQDx
example0example0example0example0example0example0example0example0DA==
=dEmO
-----END PGP SIGNATURE-----
`
