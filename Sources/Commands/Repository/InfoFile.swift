// The dialect of archive.info, backup.info and backup.manifest: sections of `key=JSON` lines with a checksum over all of it
// (repository-format.md section 2).

import BackstopCore

/// Reading and writing of the dialect; what the sections mean is known by those who call.
enum InfoFile {
    /// Visits each entry in file order, and answers the format of the file. Throws `.format` (29) or `.checksum` (26). The checksum is known only at the end, so what
    /// `visit` is given may be damaged: it must check what it uses, and nothing may be done with it before this returns.
    @discardableResult
    static func read(
        _ bytes: [UInt8], _ sha1: any Checksum, _ visit: (_ section: String, _ key: String, _ value: JSON) throws(BackupError) -> Void
    ) throws(BackupError) -> Int {
        var reader = InfoFileReader(sha1)
        try reader.add(bytes[...], visit)
        return try reader.finish(visit)
    }

    /// Whether a reader finds `key` in the line that was written of it. Of most keys one sees it: they have no byte that means something.
    fileprivate static func holds(_ key: String, _ line: ArraySlice<UInt8>) -> Bool {
        var isPlain = true
        for byte in key.utf8 where byte == UInt8(ascii: "=") || byte == UInt8(ascii: "[") || byte == 10 || byte >= 0x80 { isPlain = false }
        if isPlain { return !key.isEmpty }
        guard !line.contains(10) else { return false }
        guard !(line.first == UInt8(ascii: "[") && line.last == UInt8(ascii: "]")) else { return false }
        let text = line.contains { $0 >= 0x80 } ? FileName.mapped(Array(line))[...] : line
        return entry(text).map { sameBytes($0.key, key) } ?? false
    }

    /// A key is raw text and may contain `=`: it ends at the first `=` whose remainder is JSON.
    fileprivate static func entry(_ line: ArraySlice<UInt8>) -> (key: String, text: ArraySlice<UInt8>, value: JSON)? {
        var from = line.startIndex
        while let equals = line[from...].firstIndex(of: UInt8(ascii: "=")) {
            let text = line[(equals + 1)...]
            if equals > line.startIndex, let value = JSON(parsing: text) {
                return (String(decoding: line[..<equals], as: UTF8.self), text, value)
            }
            from = equals + 1
        }
        return nil
    }
}

/// Reads a file in portions, of whatever size.
struct InfoFileReader {
    private var hash: InfoHash
    private var section: String?
    private var format: Int64?
    private var checksum: String?
    private var lineNumber = 0
    /// The beginning of a line whose end has not come yet.
    private var rest: [UInt8] = []

    init(_ sha1: any Checksum) { hash = InfoHash(sha1) }

    mutating func add(
        _ bytes: ArraySlice<UInt8>, _ visit: (_ section: String, _ key: String, _ value: JSON) throws(BackupError) -> Void
    ) throws(BackupError) {
        var bytes = bytes
        while let end = bytes.firstIndex(of: 10) {
            if rest.isEmpty {
                try line(bytes[..<end], visit)
            } else {
                rest += bytes[..<end]
                let whole = rest
                rest = []
                try line(whole[...], visit)
            }
            bytes = bytes[(end + 1)...]
        }
        rest += bytes
    }

    /// After the last portion. Answers the format of the file.
    mutating func finish(_ visit: (_ section: String, _ key: String, _ value: JSON) throws(BackupError) -> Void) throws(BackupError) -> Int
    {
        try line(rest[...], visit)
        let actual = try hash.finish()
        guard checksum == actual else {
            throw BackupError(.checksum, "invalid checksum, actual '\(actual)' but expected '\(checksum ?? "none")'")
        }
        return try RepositoryFormat.check(format)
    }

    private mutating func line(
        _ raw: ArraySlice<UInt8>, _ visit: (_ section: String, _ key: String, _ value: JSON) throws(BackupError) -> Void
    ) throws(BackupError) {
        lineNumber += 1
        // Names of files may have any bytes.
        let line = raw.contains { $0 >= 0x80 } ? FileName.mapped(Array(raw))[...] : raw
        if line.isEmpty { return }
        if line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "]") {
            section = String(decoding: line.dropFirst().dropLast(), as: UTF8.self)
            return
        }
        guard let section, let (key, text, value) = InfoFile.entry(line) else {
            if CipherHeader(beginning: Array(line.prefix(CipherHeader.longest))) != nil {
                throw BackupError(.format, "the file is encrypted")
            }
            // Keys do not get into a log.
            let text = section == CipherSection.name ? "it is of [cipher]" : "'\(String(decoding: line.prefix(80), as: UTF8.self))'"
            throw BackupError(.format, "line \(lineNumber) is not a section or an entry: \(text)")
        }
        if section == "backrest" && key == "backrest-checksum" {
            checksum = value.string
            return
        }
        hash.add(section, key, text)
        if section == "backrest" && key == "backrest-format" { format = value.int }
        try visit(section, key, value)
    }
}

/// Builds a file; sections and keys must come in byte order.
struct InfoFileWriter {
    /// What was made since `forget`.
    private(set) var bytes: [UInt8] = []
    private var hash: InfoHash
    /// A key that the dialect cannot hold.
    private var invalidKey: String?
    private var section = ""

    init(_ sha1: any Checksum) { hash = InfoHash(sha1) }

    init(_ sha1: any Checksum, version: String, format: Int) {
        self.init(sha1)
        for entry in Self.begin(version: version, format: format) { add(entry.section, entry.key, entry.value) }
    }

    /// The first entries of every file.
    static func begin(version: String, format: Int) -> [(section: String, key: String, value: JSON)] {
        [("backrest", "backrest-format", JSON(format)), ("backrest", "backrest-version", .string(version))]
    }

    mutating func add(_ section: String, _ key: String, _ value: JSON) { add(section, key) { value.write(to: &$0) } }

    /// `value`: appends the text of it.
    mutating func add(_ section: String, _ key: String, _ value: (inout [UInt8]) -> Void) {
        if section != self.section {
            if !self.section.isEmpty { bytes.append(10) }
            bytes += Array("[\(section)]\n".utf8)
            self.section = section
        }
        let begin = bytes.count
        bytes.append(contentsOf: key.utf8)
        bytes.append(UInt8(ascii: "="))
        let start = bytes.count
        value(&bytes)
        hash.add(section, key, bytes[start...])
        FileName.unmap(&bytes, from: begin)
        if !InfoFile.holds(key, bytes[begin...]) { invalidKey = key }
        bytes.append(10)
    }

    /// What was made so far has been stored.
    mutating func forget() { bytes.removeAll(keepingCapacity: true) }

    /// Adds the checksum. Throws `.invalid` when a key cannot be held.
    mutating func end() throws(BackupError) {
        if let invalidKey { throw BackupError(.invalid, "'\(invalidKey)' is empty or has a line feed, which an info file cannot hold") }
        let checksum = try hash.finish()
        bytes += Array("\n[backrest]\nbackrest-checksum=\"\(checksum)\"\n".utf8)
    }

    /// The whole file.
    mutating func finish() throws(BackupError) -> [UInt8] {
        try end()
        return bytes
    }
}

/// The checksum stream of section 2.3: the entries as one JSON object of objects, values as their text.
private struct InfoHash {
    private let sha1: any Checksum
    private var section: String?
    private var pending: [UInt8] = [UInt8(ascii: "{")]

    init(_ sha1: any Checksum) {
        sha1.reset()
        self.sha1 = sha1
    }

    mutating func add(_ section: String, _ key: String, _ value: ArraySlice<UInt8>) {
        if section != self.section {
            pending += Array((self.section == nil ? "\"\(section)\":{" : "},\"\(section)\":{").utf8)
            self.section = section
        } else {
            pending.append(UInt8(ascii: ","))
        }
        let begin = pending.count
        JSON.write(key, to: &pending)
        pending.append(UInt8(ascii: ":"))
        pending += value
        FileName.unmap(&pending, from: begin)
        if pending.count > 64 << 10 { flush() }
    }

    mutating func finish() throws(BackupError) -> String {
        pending += Array((section == nil ? "}" : "}}").utf8)
        flush()
        try sha1.finish()
        return sha1.digest.description
    }

    private mutating func flush() {
        pending.withUnsafeBytes { sha1.update(RawSpan(_unsafeBytes: $0)) }
        pending.removeAll(keepingCapacity: true)
    }
}
