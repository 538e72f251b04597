// A place in the WAL, as a number and as it is written.

import BackstopCore

/// Bytes from the begin of the WAL.
struct LSN: Hashable, Sendable, Comparable, CustomStringConvertible {
    let value: UInt64

    init(_ value: UInt64) { self.value = value }

    /// `16/B374D848`.
    init(_ text: some StringProtocol) throws(BackupError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = Self.half(parts[0]), let low = Self.half(parts[1]) else {
            throw BackupError(
                .format, "'\(text)' is not a WAL location",
                hint: "expected two hexadecimal numbers with a slash between, as in 16/B374D848.")
        }
        value = UInt64(high) << 32 | UInt64(low)
    }

    var description: String {
        String(value >> 32, radix: 16, uppercase: true) + "/" + String(value & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    static func < (a: LSN, b: LSN) -> Bool { a.value < b.value }

    private static func half(_ text: some StringProtocol) -> UInt32? {
        // UInt32.init would take a sign.
        text.utf8.count <= 8 && text.utf8.allSatisfy { isHexadecimal($0) } ? UInt32(text, radix: 16) : nil
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}

/// A place with the text of the server that told it: from PostgreSQL 19 on the second number has eight digits (`0/01600028`), before as few as it
/// needs. What is written to a repository is that text, what is compared is the place.
struct WrittenLSN: Sendable, CustomStringConvertible {
    let lsn: LSN
    let description: String

    /// Throws `.format` as `LSN` does.
    init(_ text: String) throws(BackupError) { (lsn, description) = (try LSN(text), text) }
}
