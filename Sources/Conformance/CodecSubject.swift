// What the codec checks are run on, and how they run a transform.

public import BackstopCore

/// A codec, and what its format promises.
public struct CodecSubject: ConformanceSubject {
    /// How much of damage a format can see.
    public enum Format: Sendable {
        /// Any bytes are valid.
        case plain
        /// The end is marked in the stream; `several`: one stream may follow another.
        case marked(several: Bool)
        /// Blocks of 16 bytes whose last one has padding: a length that is no multiple is seen.
        case padded
    }

    public let name: String
    public let seed: UInt64
    /// Makes the encoders and decoders that are looked at.
    public var codec: any Codec
    /// Which damage a decoder has to notice.
    public var format: Format
    /// What every encoding begins with.
    public var header: [UInt8] = []
    /// Streams of other tools and what is in them.
    public var knownAnswers: [(encoded: [UInt8], plain: [UInt8])] = []
    /// Streams that must be refused, and with what.
    public var refused: [(what: String, encoded: [UInt8], code: BackupError.Code)] = []
    /// Zeros after the end, four at a time, belong to the format.
    public var allowsPadding = false
    /// Whether the same bytes must be encoded differently each time.
    public var randomised = false

    public init(name: String, codec: any Codec, format: Format, seed: UInt64 = freshSeed()) {
        self.name = name
        self.codec = codec
        self.format = format
        self.seed = seed
    }

    func encode(_ bytes: [UInt8]) throws -> [UInt8] { try Run(bytes).through(try codec.encoder()) }
    func decode(_ bytes: [UInt8]) throws -> [UInt8] { try Run(bytes).through(try codec.decoder()) }

    /// Wants `encoded` to be refused, however it is fed.
    func expectRefused(_ encoded: [UInt8], _ what: @autoclosure () -> String, codes: [BackupError.Code] = [.corrupt, .crypto]) throws {
        // Byte by byte only where that does not take long.
        for pieces in [Int.max, encoded.count < 5000 ? 1 : 4099] {
            var run = Run(encoded)
            run.pieces = { pieces }
            var given = 0
            do {
                given = try run.through(try codec.decoder()).count
            } catch let error as BackupError {
                try expect(codes.contains(error.code), "\(what()) is refused with \(describe(error))")
                continue
            }
            throw Broken(reason: "\(what()) is decoded into \(given) bytes")
        }
    }
}

/// One object through a transform, fed and emptied in the pieces that a check wants, with all that a transform promises looked at.
struct Run {
    private let input: [UInt8]
    /// Bytes of the next piece of input; what a transform does not take is fed again together with the next piece.
    var pieces: () -> Int = { 64 << 10 }
    /// Bytes of room for the output.
    var room = 64 << 10
    /// True: that there is no more is said after the last byte, not with it.
    var endsLate = false
    /// Gives up when so many bytes of the input were taken.
    var stopsAt: Int?

    init(_ input: [UInt8]) { self.input = input }

    func through(_ transform: any Transform) throws -> [UInt8] {
        var output: [UInt8] = []
        var block = Block(capacity: room)
        var taken = 0
        var fed = 0
        var end = false
        while true {
            if let stopsAt, taken >= stopsAt { return output }
            let progress = try block.append { (out: inout OutputRawSpan) throws(BackupError) in
                try transform.process(input.span.bytes.extracting(taken..<fed), into: &out, end: end)
            }
            let given = block.count
            block.withBytes { bytes in bytes.withUnsafeBytes { output.append(contentsOf: $0) } }
            block.clear()
            try expect((0...(fed - taken)).contains(progress.consumed), "of \(fed - taken) bytes it takes \(progress.consumed)")
            try expect(end || !progress.done, "it is done before the end of the input")
            try expect(!progress.done || taken + progress.consumed == input.count, "it is done before it took all its input")
            let idle = progress.consumed == 0 && given == 0 && !progress.done
            try expect(!idle || (taken == fed && !end), "it neither takes nor gives a byte after \(taken) taken and \(output.count) given")
            taken += progress.consumed
            if progress.done { return output }
            if fed == input.count { end = !endsLate || end || taken == fed }
            if fed < input.count && (taken == fed || idle || given < room) {
                fed += max(1, min(pieces(), input.count - fed))
                if fed == input.count { end = !endsLate }
            }
        }
    }
}
