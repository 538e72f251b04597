// Names as bytes: Swift compares and splits texts by characters, file systems and manifests by bytes. A `/` before a combining mark is
// still a `/`, and two spellings of `é` are two files.

/// Whether two names are the same to a file system.
public func sameBytes(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool { a.utf8.elementsEqual(b.utf8) }

/// Byte order of two texts, whatever the locale or Unicode normal form.
public func bytewiseLess(_ a: String, _ b: String) -> Bool {
    if FileName.isMapped(a) || FileName.isMapped(b) { return FileName.bytes(a).lexicographicallyPrecedes(FileName.bytes(b)) }
    return a.utf8.lexicographicallyPrecedes(b.utf8)
}

extension StringProtocol {
    /// Whether it begins with exactly these bytes.
    public func hasBytes(_ prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether it ends with exactly these bytes.
    public func hasBytesAtEnd(_ suffix: some StringProtocol) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }

    /// Whether it is below `folder`.
    public func isBelow(_ folder: some StringProtocol) -> Bool { utf8.count > folder.utf8.count && hasBytes("\(folder)/") }

    /// Without its first `count` bytes, which must end at a character of ASCII.
    public func droppingBytes(_ count: Int) -> String { String(decoding: utf8.dropFirst(count), as: UTF8.self) }

    /// The parts between the slashes, empty ones too.
    public var pathParts: [String] {
        utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// With padding, in one line.
public func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << UInt32(16 - 8 * $1.offset) }
        for index in 0..<4 { text.append(index <= group.count ? digits[Int(bits >> UInt32(18 - 6 * index) & 63)] : UInt8(ascii: "=")) }
    }
    return String(decoding: text, as: UTF8.self)
}
