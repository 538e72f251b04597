// Layout of help: lines of at most 80 columns, paragraphs, and two columns side by side.

/// Pieces from which the pages are put together.
enum HelpText {
    static let width = 80

    /// `text` in lines that begin with `indent` blanks; the first `first` columns of the first line are taken already.
    static func wrap(_ text: String, indent: Int = 0, first: Int? = nil) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = first == nil ? margin : ""
        var used = first ?? indent
        var isEmpty = true
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            if !isEmpty, used + 1 + word.count > width {
                lines.append(line)
                line = margin
                used = indent
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            used += (isEmpty ? 0 : 1) + word.count
            isEmpty = false
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }

    /// A name and what it means, the second column beginning at `column`; on lines of their own when the name is too long.
    static func row(_ name: String, _ meaning: String, column: Int) -> String {
        let start = "  " + name
        if start.count + 1 >= column { return start + "\n" + wrap(meaning, indent: column) }
        return start + String(repeating: " ", count: column - start.count) + wrap(meaning, indent: column, first: column)
    }

    /// `how much` → `How much.`
    static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
}
