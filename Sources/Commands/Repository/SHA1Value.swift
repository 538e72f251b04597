// A sha1 in 20 bytes: manifests hold two for each file.

import BackstopCore

struct SHA1Value: Hashable, Sendable, CustomStringConvertible {
    /// Four bytes each: an optional value of it takes one byte more, and no gap.
    private var words: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)

    /// 20 bytes.
    init(_ digest: Digest) {
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: digest.bytes.prefix(20)) }
    }

    /// 40 hexadecimal digits.
    init?(_ text: String) {
        let digits = text.utf8
        guard digits.count == 40 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20)
        var half: UInt8?
        for digit in digits {
            guard let value = Self.value(digit) else { return nil }
            if let high = half { bytes.append(high << 4 | value) }
            half = half == nil ? value : nil
        }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    static func == (a: SHA1Value, b: SHA1Value) -> Bool { a.words == b.words }

    func hash(into hasher: inout Hasher) { withUnsafeBytes(of: words) { hasher.combine(bytes: $0) } }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70: digit - 55
        default: nil
        }
    }

    /// Appends the 40 digits.
    func write(to out: inout [UInt8]) {
        withUnsafeBytes(of: words) { bytes in
            for byte in bytes {
                out.append(Self.digit(byte >> 4))
                out.append(Self.digit(byte & 15))
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    var description: String {
        var digits: [UInt8] = []
        write(to: &digits)
        return String(decoding: digits, as: UTF8.self)
    }
}
