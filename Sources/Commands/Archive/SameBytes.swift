// Whether a file that is read a second time still has the bytes of the first time.

import BackstopCore

/// Sums what flows past, much faster than a checksum would. Against accidents, not against somebody who wants two contents of one sum: what is
/// stored has its checksum in its name, and readers verify that.
final class SameBytes: Tap {
    /// Fletcher's two sums, of every eighth word each: that of the words sees a word that changed, that of its sums sees where the words were.
    private var words = SIMD8<UInt64>.zero
    private var sums = SIMD8<UInt64>.zero
    private var count: UInt64 = 0
    /// Bytes that do not fill eight words yet.
    private var rest: [UInt8] = []
    /// nil: any bytes will do.
    private let wanted: UInt64?

    private static let step = MemoryLayout<SIMD8<UInt64>>.size

    /// `wanted`: the sum that the bytes must have at their end.
    init(_ wanted: UInt64? = nil) { self.wanted = wanted }

    /// Of all bytes so far.
    var sum: UInt64 {
        var sum = Self.mixed(0, count)
        for index in 0..<8 { sum = Self.mixed(Self.mixed(sum, words[index]), sums[index]) }
        for byte in rest { sum = Self.mixed(sum, UInt64(byte)) }
        return sum
    }

    func update(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { bytes in
            count &+= UInt64(bytes.count)
            var bytes = bytes[...]
            if !rest.isEmpty {
                // What was left of the bytes before.
                let head = bytes.prefix(Self.step - rest.count)
                rest.append(contentsOf: head)
                bytes = bytes.dropFirst(head.count)
                guard rest.count == Self.step else { return }
                rest.withUnsafeBytes { add($0) }
                rest.removeAll(keepingCapacity: true)
            }
            let whole = bytes.count / Self.step * Self.step
            add(UnsafeRawBufferPointer(rebasing: bytes.prefix(whole)))
            rest.append(contentsOf: bytes.dropFirst(whole))
        }
    }

    func finish() throws(BackupError) {
        if let wanted, sum != wanted { throw BackupError(.checksum, "other bytes than when it was read first") }
    }

    func reset() {
        (words, sums, count) = (.zero, .zero, 0)
        rest = []
    }

    /// `bytes`: a multiple of eight words.
    private func add(_ bytes: UnsafeRawBufferPointer) {
        guard var position = bytes.baseAddress else { return }
        let end = position + bytes.count
        var (words, sums) = (words, sums)
        while position < end {
            words &+= position.loadUnaligned(as: SIMD8<UInt64>.self)
            // Turned, so that the highest bits of words count by their place as well.
            sums = (sums &<< 7 | sums &>> 57) &+ words
            position += Self.step
        }
        (self.words, self.sums) = (words, sums)
    }

    /// A bijection of each for the other fixed: one that changed makes another sum.
    private static func mixed(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (sum ^ word &+ 0x9E37_79B9_7F4A_7C15) &* 0x9E37_79B1_85EB_CA87
        return mixed ^ mixed >> 32
    }
}
