// Codecs that are broken on purpose, each in one way, with the checks that must see it.

import BackstopConformance
import BackstopCore

enum CodecFault: String, CaseIterable {
    case losesTheLastByte, wantsRoomForTwo, ignoresALateEnd, wrapsItsOwnWay, ignoresDamage, keepsState, resetsOnlyWhatIsDone
    case resetsNoErrors, sharesItsTransforms, drawsNoSalt, acceptsWhatMustBeRefused

    var caughtBy: [String] {
        switch self {
        case .losesTheLastByte: ["round trip at many sizes"]
        case .wantsRoomForTwo: ["byte by byte"]
        case .ignoresALateEnd: ["pieces of any size, the end said late"]
        case .wrapsItsOwnWay: ["streams of other tools are decoded", "the header is the format's"]
        case .ignoresDamage:
            [
                "a truncated stream is refused", "bytes after the end are refused", "a second stream is refused or decoded, never dropped",
                "garbage is refused",
            ]
        case .keepsState: ["reset makes ready for the next object"]
        case .resetsOnlyWhatIsDone: ["reset half way makes ready for the next object"]
        case .resetsNoErrors: ["reset after an error makes ready for the next object"]
        case .sharesItsTransforms: ["transforms of one codec share nothing"]
        case .drawsNoSalt: ["no two encodings are the same"]
        case .acceptsWhatMustBeRefused: ["what must be refused is refused"]
        }
    }

    /// A sound subject with this fault.
    func subject() throws -> CodecSubject {
        switch self {
        case .wrapsItsOwnWay:
            var subject = gz
            subject.codec = try registry.codec("gz").open(6, .raw)
            return subject
        case .drawsNoSalt:
            var subject = gz
            subject.randomised = true
            return subject
        case .acceptsWhatMustBeRefused:
            var subject = try cipher(.normal)
            subject.codec = FaultyCodec(subject.codec, .ignoresDamage)
            return subject
        default:
            var subject = gz
            subject.codec = FaultyCodec(gz.codec, self)
            return subject
        }
    }

    private var gz: CodecSubject { codecSubjects.first { $0.name == "gz normal" }! }
}

// The shared transforms are written once, before anything else, and used by one task: the check's.
final class FaultyCodec: Codec, @unchecked Sendable {
    private let codec: any Codec
    private let fault: CodecFault
    private var shared: (any Transform, any Transform)?

    init(_ codec: any Codec, _ fault: CodecFault) {
        self.codec = codec
        self.fault = fault
        if fault == .sharesItsTransforms, let encoder = try? codec.encoder(), let decoder = try? codec.decoder() {
            shared = (encoder, decoder)
        }
    }

    func encoder() throws(BackupError) -> any Transform {
        if let shared { return shared.0 }
        return FaultyTransform(try codec.encoder(), fault, encodes: true)
    }

    func decoder() throws(BackupError) -> any Transform {
        if let shared { return shared.1 }
        return FaultyTransform(try codec.decoder(), fault, encodes: false)
    }
}

private final class FaultyTransform: Transform {
    private let transform: any Transform
    private let fault: CodecFault
    private let encodes: Bool
    private var done = false
    private var failed = false

    init(_ transform: any Transform, _ fault: CodecFault, encodes: Bool) {
        self.transform = transform
        self.fault = fault
        self.encodes = encodes
    }

    func process(_ input: RawSpan, into out: inout OutputRawSpan, end: Bool) throws(BackupError) -> Progress {
        if fault == .wantsRoomForTwo && out.freeCapacity < 2 { return Progress(consumed: 0, done: false) }
        if fault == .ignoresALateEnd && input.isEmpty { return Progress(consumed: 0, done: false) }
        do throws(BackupError) {
            if fault == .losesTheLastByte && encodes && end && input.byteCount > 0 {
                var progress = try transform.process(input.extracting(0..<input.byteCount - 1), into: &out, end: true)
                if progress.done { progress.consumed += 1 }
                return progress
            }
            let progress = try transform.process(input, into: &out, end: end)
            done = progress.done
            return progress
        } catch {
            failed = true
            if fault == .ignoresDamage { return Progress(consumed: input.byteCount, done: end) }
            throw error
        }
    }

    func reset() throws(BackupError) {
        defer {
            done = false
            failed = false
        }
        switch fault {
        case .keepsState: return
        case .resetsOnlyWhatIsDone where !done: return
        case .resetsNoErrors where failed: return
        default: try transform.reset()
        }
    }
}

/// Faults of codecs that show in a chain too, with the check of chains that must see them.
let chainSaboteurs: [(fault: CodecFault, caughtBy: String)] = [
    (.losesTheLastByte, "round trip through a chain"),
    (.wantsRoomForTwo, "blocks and buffers of a few bytes"),
    (.ignoresDamage, "a truncated object is refused by the chain"),
    (.keepsState, "a chain serves one object after the other"),
]

/// Descriptions of codecs that are wrong, with the check that must see it.
let codecDriverSaboteurs: [(driver: CodecDriver, caughtBy: String)] = {
    let gz = registry.codecs["gz"]!
    return [
        (
            CodecDriver(name: "odd default", suffix: ".gz", levels: 1...9, defaultLevel: 10, open: gz.open),
            "the default level is one of the levels"
        ),
        (
            CodecDriver(name: "no check", suffix: ".gz", levels: 1...9, defaultLevel: 6) { (_, framing) throws(BackupError) in
                try gz.open(6, framing)
            }, "levels outside of the range are refused"
        ),
        (
            CodecDriver(name: "another format at 9", suffix: ".gz", levels: 1...9, defaultLevel: 6) { (level, _) throws(BackupError) in
                try gz.open(level, level == 9 ? .raw : .normal)
            }, "every level is decoded without knowing it"
        ),
    ]
}()
