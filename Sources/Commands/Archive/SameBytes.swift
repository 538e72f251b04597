// Whether a file that is read a second time still has the bytes of the first time.

import BackstopCore

/// Sums what flows past in a tenth of the time of a checksum. Against accidents, not against somebody who wants two contents of one sum: what
/// is stored has its checksum in its name, and readers verify that.
final class SameBytes: Tap {
    private var lanes: (UInt64, UInt64, UInt64, UInt64) = SameBytes.start
    private var count: UInt64 = 0
    /// Bytes that do not fill all lanes yet.
    private var rest: [UInt8] = []
    /// nil: any bytes will do.
    private let wanted: UInt64?

    private static let start: (UInt64, UInt64, UInt64, UInt64) = (
        0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x27D4_EB2F_1656_67C5
    )

    /// `wanted`: the sum that the bytes must have at their end.
    init(_ wanted: UInt64? = nil) { self.wanted = wanted }

    /// Of all bytes so far.
    var sum: UInt64 {
        var sum = Self.mixed(count, Self.start.0)
        for lane in [lanes.0, lanes.1, lanes.2, lanes.3] { sum = Self.mixed(sum, lane) }
        for byte in rest { sum = Self.mixed(sum, UInt64(byte)) }
        return sum
    }

    func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { bytes in
            count &+= UInt64(bytes.count)
            var position = 0
            // What was left of the bytes before.
            while !rest.isEmpty, position < bytes.count {
                rest.append(bytes[position])
                position += 1
                if rest.count == 32 {
                    rest.withUnsafeBytes { add($0, from: 0, through: 32) }
                    rest.removeAll(keepingCapacity: true)
                }
            }
            let end = position + (bytes.count - position) / 32 * 32
            add(bytes, from: position, through: end)
            rest.append(contentsOf: bytes[end...])
        }
    }

    func finish() throws(BackupError) {
        if let wanted, sum != wanted { throw BackupError(.checksum, "other bytes than when it was read first") }
    }

    func reset() { (lanes, count, rest) = (Self.start, 0, []) }

    private func add(_ bytes: UnsafeRawBufferPointer, from start: Int, through end: Int) {
        var (a, b, c, d) = lanes
        for position in stride(from: start, to: end, by: 32) {
            a = Self.mixed(a, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            b = Self.mixed(b, bytes.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self))
            c = Self.mixed(c, bytes.loadUnaligned(fromByteOffset: position + 16, as: UInt64.self))
            d = Self.mixed(d, bytes.loadUnaligned(fromByteOffset: position + 24, as: UInt64.self))
        }
        lanes = (a, b, c, d)
    }

    /// A bijection of each for the other fixed: one that changed makes another sum.
    @inline(__always) private static func mixed(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (sum ^ word) &* 0x9E37_79B1_85EB_CA87
        return mixed ^ mixed >> 32
    }
}
