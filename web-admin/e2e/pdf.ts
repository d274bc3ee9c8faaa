/** A PDF with a line of text on each page: objects, cross-reference table and trailer (ISO 32000-1, 7.5). */
export function pdf(...lines: string[]): Buffer {
  const first = 4;
  const pages = lines.flatMap((line, index) => {
    const drawn = `BT /F1 24 Tf 72 700 Td (${line.replace(/[\\()]/g, (sign) => `\\${sign}`)}) Tj ET`;
    const size = "/MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>";
    return [
      `<< /Type /Page /Parent 2 0 R ${size} /Contents ${first + 2 * index + 1} 0 R >>`,
      `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
    ];
  });
  const kids = lines.map((_, index) => `${first + 2 * index} 0 R`).join(" ");
  return whole([
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${kids}] /Count ${lines.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...pages,
  ]);
}

function whole(objects: string[]): Buffer {
  let file = "%PDF-1.4\n";
  const places = objects.map((object, index) => {
    const place = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return place;
  });
  const table = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${table}`;
  file += `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${file.lastIndexOf("xref")}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}
