// File names that are not UTF-8. To a file system a name is bytes, in this program it is a text; every name has exactly one text
// (docs/decisions/0009-names-are-bytes.md).

internal import Glibc

/// A byte that does not belong to valid UTF-8 is the character U+10FF00 + byte in the text, of a plane for private use. The bytes of such
/// characters themselves are taken for such bytes too, so that each text stands for one name only.
public enum FileName {
    /// The text of a name, or of many names in a document whose structure is ASCII.
    public static func text(_ bytes: some Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !isMapped(text) { return text }
        return String(decoding: mapped(Array(bytes)), as: UTF8.self)
    }

    /// The bytes of a name.
    public static func bytes(_ text: String) -> [UInt8] { unmapped(Array(text.utf8)) }

    /// Whether a text stands for other bytes than its own.
    public static func isMapped(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { hasMapped($0) } ?? isMapped(Array(text.utf8))
    }

    /// For people: `caf\xE9`.
    public static func shown(_ text: String) -> String {
        guard isMapped(text) else { return text }
        return text.unicodeScalars.reduce(into: "") { shown, scalar in
            if let byte = byte(scalar) {
                shown += "\\x" + String(byte, radix: 16, uppercase: true)
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
    }

    private static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= first + 0x80 && scalar.value <= first + 0xFF ? UInt8(scalar.value - first) : nil
    }

    private static let first: UInt32 = 0x10FF00

    // MARK: Bytes

    /// A document in which names may have any bytes, as UTF-8; `unmapped` is the inverse.
    public static func mapped(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 64)
        var position = 0
        while position < bytes.count {
            let count = characterLength(bytes, position)
            if count > 0, !isMapped(bytes, position) {
                result.append(contentsOf: bytes[position..<position + count])
                position += count
            } else {
                result += Array(String(Unicode.Scalar(first + UInt32(bytes[position])) ?? "?").utf8)
                position += 1
            }
        }
        return result
    }

    /// Brings the end of a document back to the bytes as they were.
    public static func unmap(_ bytes: inout [UInt8], from start: Int) {
        let changes = bytes.withUnsafeBufferPointer { hasMapped(UnsafeBufferPointer(rebasing: $0[start...])) }
        if changes { bytes.replaceSubrange(start..., with: unmapped(Array(bytes[start...]))) }
    }

    /// The bytes as they were.
    public static func unmapped(_ bytes: [UInt8]) -> [UInt8] {
        guard isMapped(bytes) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            if isMapped(bytes, position) {
                result.append((bytes[position + 2] & 1) << 6 | bytes[position + 3] & 0x3F | 0x80)
                position += 4
            } else {
                result.append(bytes[position])
                position += 1
            }
        }
        return result
    }

    private static func isMapped(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { hasMapped($0) } }

    private static func hasMapped(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var from = 0
        while from < bytes.count, let found = memchr(bytes.baseAddress! + from, 0xF4, bytes.count - from) {
            let position = UnsafeRawPointer(found) - UnsafeRawPointer(bytes.baseAddress!)
            if isLead(bytes, position) { return true }
            from = position + 1
        }
        return false
    }

    private static func isMapped(_ bytes: [UInt8], _ position: Int) -> Bool {
        bytes[position] == 0xF4 && bytes.withUnsafeBufferPointer { isLead($0, position) }
    }

    /// The UTF-8 of the characters from U+10FF80 to U+10FFFF, and of no others, begins with F4 8F BE or F4 8F BF.
    private static func isLead(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Bool {
        position + 3 < bytes.count && bytes[position + 1] == 0x8F && bytes[position + 2] | 1 == 0xBF && bytes[position + 3] & 0xC0 == 0x80
    }

    /// How many bytes the valid UTF-8 character at `position` has; 0 when there is none.
    private static func characterLength(_ bytes: [UInt8], _ position: Int) -> Int {
        let lead = bytes[position]
        let count = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
        guard count > 1 else { return count }
        return String(validating: bytes[position..<min(position + count, bytes.count)], as: UTF8.self) == nil ? 0 : count
    }
}

extension String {
    /// For calls of the operating system.
    public func withSystemName<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
        guard FileName.isMapped(self) else { return try withCString(body) }
        return try (FileName.bytes(self) + [0]).withUnsafeBufferPointer { bytes in
            try bytes.withMemoryRebound(to: CChar.self) { try body($0.baseAddress!) }
        }
    }
}
