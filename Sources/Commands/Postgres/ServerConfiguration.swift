// The form of postgresql.conf, as far as a restore has to understand it.

/// Bytes, because such a file need not be UTF-8.
enum ServerConfiguration {
    /// The setting of one line: `NAME = VALUE`, `NAME VALUE`, names in whatever case. nil for comments and empty lines.
    /// `value` is without its quotes and comments; good enough for names of files.
    static func setting(_ line: ArraySlice<UInt8>) -> (name: String, value: String)? {
        let text = line.drop(while: isBlank)
        let name = text.prefix { isWord($0) }
        guard let first = name.first, !(48...57 ~= first) else { return nil }
        var rest = text.dropFirst(name.count).drop(while: isBlank)
        if rest.first == UInt8(ascii: "=") { rest = rest.dropFirst().drop(while: isBlank) }
        return (String(decoding: name, as: UTF8.self).lowercased(), value(rest))
    }

    private static func value(_ rest: ArraySlice<UInt8>) -> String {
        let quote = UInt8(ascii: "'")
        guard rest.first == quote else {
            return String(decoding: rest.prefix { !isBlank($0) && $0 != UInt8(ascii: "#") }, as: UTF8.self)
        }
        var value: [UInt8] = []
        var left = rest.dropFirst()
        while let byte = left.popFirst() {
            if byte == quote {
                guard left.first == quote else { break }
                left.removeFirst()
            }
            value.append(byte)
        }
        return String(decoding: value, as: UTF8.self)
    }

    /// All of a file.
    static func settings(_ bytes: [UInt8]) -> [(name: String, value: String)] {
        bytes.split(separator: 10).compactMap { setting($0) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || 9...13 ~= byte }
    private static func isWord(_ byte: UInt8) -> Bool {
        48...57 ~= byte || 65...90 ~= byte || 97...122 ~= byte || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
}
