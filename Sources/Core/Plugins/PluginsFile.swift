// plugins.conf: which drivers, codecs, ciphers and checksums exist here. A name that is not in it does not exist.

/// The operator's allow-list, in the sections `[storage]`, `[codec]`, `[cipher]` and `[checksum]`. A line names something that is built in
/// (`gz = builtin`), a storage driver that is a program (`tape = exec PROGRAM ARGUMENT…`) or a codec that is two
/// (`xz = filter "xz -T1 -c" "xz -dc"`).
public struct PluginsFile: Sendable {
    /// A kind of thing that has a name.
    public enum Section: String, Sendable, CaseIterable { case storage, codec, cipher, checksum }

    /// Where it comes from.
    public enum Origin: Sendable, Equatable {
        case builtin
        /// The program, looked up in PATH, and its arguments.
        case program([String])
        /// The command lines of a compressor and its decompressor, each from standard input to standard output.
        case filter(encode: [String], decode: [String])
    }

    private var entries: [Section: [(name: String, origin: Origin)]] = [:]

    /// In the order of the file.
    public func entries(_ section: Section) -> [(name: String, origin: Origin)] { entries[section] ?? [] }

    /// The codecs that are programs.
    public var filters: [String] { entries(.codec).filter { $0.origin != .builtin }.map(\.name) }

    /// `path` is for messages only.
    public init(text: String, path: String) throws(BackupError) {
        var section: Section?
        for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            let place = "\(path) line \(number + 1)"
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = Section(rawValue: String(line.dropFirst().dropLast()))
                guard section != nil else {
                    throw BackupError(
                        .config, "\(place): unknown section \(line)",
                        hint: "sections are \(Section.allCases.map { "[\($0.rawValue)]" }.joined(separator: ", ")).")
                }
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1).map(\.trimmed)
            guard let section, parts.count == 2, !parts[0].isEmpty else {
                throw BackupError(.config, "\(place): '\(line)' is not NAME = builtin, exec or filter in a section")
            }
            let name = parts[0]
            guard !entries(section).contains(where: { $0.name == name }) else {
                throw BackupError(.config, "\(place): '\(name)' is there twice", hint: "keep one of them.")
            }
            entries[section, default: []].append((name, try Self.origin(name, parts[1], section, place)))
        }
    }

    private static func origin(_ name: String, _ text: String, _ section: Section, _ place: String) throws(BackupError) -> Origin {
        guard let words = shellWords(text) else { throw BackupError(.config, "\(place): a quotation mark has no end") }
        switch (words.first, section) {
        case ("builtin", _) where words.count == 1: return .builtin
        case ("exec", .storage) where words.count > 1:
            try checkName(name, place)
            return .program(Array(words.dropFirst()))
        case ("filter", .codec) where words.count == 3:
            try checkName(name, place)
            guard let encode = shellWords(words[1]), let decode = shellWords(words[2]), !encode.isEmpty, !decode.isEmpty else {
                throw BackupError(.config, "\(place): a command of '\(name)' is empty or has a quotation mark without end")
            }
            return .filter(encode: encode, decode: decode)
        default:
            let forms =
                switch section {
                case .storage: "'\(name) = builtin' or '\(name) = exec PROGRAM ARGUMENT…'."
                case .codec: "'\(name) = builtin' or '\(name) = filter \"COMPRESS\" \"DECOMPRESS\"'."
                case .cipher, .checksum: "'\(name) = builtin'."
                }
            throw BackupError(.config, "\(place): '\(text)' is not what a \(section.rawValue) can be", hint: "write \(forms)")
        }
    }

    /// It becomes a part of names of options and files.
    private static func checkName(_ name: String, _ place: String) throws(BackupError) {
        let letters = { (byte: UInt8) in UInt8(ascii: "0")...57 ~= byte || UInt8(ascii: "a")...122 ~= byte }
        guard (1...20).contains(name.utf8.count), name.utf8.allSatisfy(letters) else {
            throw BackupError(.config, "\(place): '\(name)' cannot be a name", hint: "use up to 20 small letters and digits.")
        }
    }
}

/// Words as a shell would see them: quotation marks of both kinds, a backslash before one character. A word that begins with `#` ends it.
/// Nothing is expanded. nil when a quotation mark has no end.
public func shellWords(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = text[...]
    while let character = rest.popFirst() {
        switch (character, quote) {
        case ("\\", nil), ("\\", "\""):
            guard let next = rest.popFirst() else { return nil }
            word = (word ?? "") + String(next)
        case (quote, _) where quote != nil: quote = nil
        case ("#", nil) where word == nil: return words
        case ("\"", nil), ("'", nil):
            quote = character
            word = word ?? ""
        case (" ", nil), ("\t", nil):
            if let done = word { words.append(done) }
            word = nil
        default: word = (word ?? "") + String(character)
        }
    }
    if quote != nil { return nil }
    if let word { words.append(word) }
    return words
}

extension StringProtocol {
    /// Without blanks at both ends.
    public var trimmed: String {
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else { return "" }
        return String(self[first...last])
    }
}
