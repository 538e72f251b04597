// A sha1 in 20 bytes: manifests hold two for each file.

import BackstopCore

struct SHA1Value: Hashable, Sendable, CustomStringConvertible {
    private var high: UInt64 = 0
    private var middle: UInt64 = 0
    private var low: UInt32 = 0

    /// 20 bytes.
    init(_ digest: Digest) {
        for (index, byte) in digest.bytes.prefix(20).enumerated() { set(index, byte) }
    }

    /// 40 hexadecimal digits.
    init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 40 else { return nil }
        for index in 0..<20 {
            guard let a = Self.value(digits[2 * index]), let b = Self.value(digits[2 * index + 1]) else { return nil }
            set(index, a << 4 | b)
        }
    }

    private mutating func set(_ index: Int, _ byte: UInt8) {
        switch index {
        case 0..<8: high |= UInt64(byte) << (56 - 8 * UInt64(index))
        case 8..<16: middle |= UInt64(byte) << (56 - 8 * UInt64(index - 8))
        default: low |= UInt32(byte) << (24 - 8 * UInt32(index - 16))
        }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        case 65...70: digit - 55
        default: nil
        }
    }

    var description: String {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: high.bigEndian) { bytes += $0 }
        withUnsafeBytes(of: middle.bigEndian) { bytes += $0 }
        withUnsafeBytes(of: low.bigEndian) { bytes += $0 }
        return hexadecimal(bytes)
    }
}
