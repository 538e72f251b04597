// Checks of Codec and Transform.

import BackstopCore

private let sizes = [0, 1, 2, 15, 16, 17, 31, 32, 33, 1000, 65_535, 65_536, 65_537, 262_144, 1_000_001]

/// All checks of the contract of `Codec` and its transforms.
public let codecChecks: [Check<CodecSubject>] = [
    Check("round trip at many sizes") { subject, random in
        for size in sizes {
            for (kind, bytes) in [
                ("random", random.bytes(size)), ("compressible", random.compressibleBytes(size)),
                ("zero", [UInt8](repeating: 0, count: size)),
            ] {
                try expectSame(try subject.decode(try subject.encode(bytes)), bytes, "\(size) \(kind) bytes")
            }
        }
    },

    Check("byte by byte") { subject, random in
        let objects: [[UInt8]] = [[], [7], random.bytes(2000), random.compressibleBytes(20_000), [UInt8](repeating: 5, count: 70_000)]
        for bytes in objects {
            for (pieces, room) in [(1, 1), (1, 64 << 10), (64 << 10, 1), (3, 5), (100_000, 40)] {
                var run = Run(bytes)
                run.pieces = { pieces }
                run.room = room
                let encoded = try run.through(try subject.codec.encoder())
                run = Run(encoded)
                run.pieces = { pieces }
                run.room = room
                let decoded = try run.through(try subject.codec.decoder())
                try expectSame(decoded, bytes, "\(bytes.count) bytes in pieces of \(pieces) with room for \(room)")
            }
        }
    },

    Check("pieces of any size, the end said late") { subject, random in
        for _ in 0..<6 {
            let bytes = random.compressibleBytes(Int.random(in: 1...400_000, using: &random))
            var pieces = random
            var run = Run(bytes)
            run.pieces = { Int.random(in: 1...90_000, using: &pieces) }
            run.room = Int.random(in: 1...200_000, using: &random)
            run.endsLate = true
            let encoded = try run.through(try subject.codec.encoder())
            var back = Run(encoded)
            back.pieces = { Int.random(in: 1...90_000, using: &pieces) }
            back.room = Int.random(in: 1...200_000, using: &random)
            back.endsLate = true
            try expectSame(try back.through(try subject.codec.decoder()), bytes, "\(bytes.count) bytes")
        }
    },

    Check("streams of other tools are decoded") { subject, _ in
        if subject.knownAnswers.isEmpty { throw NotApplicable(reason: "no known answers are given for \(subject.name)") }
        for (encoded, plain) in subject.knownAnswers {
            try expectSame(try subject.decode(encoded), plain, "a known stream of \(encoded.count) bytes")
        }
    },

    Check("the header is the format's") { subject, random in
        if subject.header.isEmpty { throw NotApplicable(reason: "\(subject.name) has no fixed header") }
        for size in [0, 1, 300_000] {
            let encoded = try subject.encode(random.compressibleBytes(size))
            try expectSame(Array(encoded.prefix(subject.header.count)), subject.header, "the header for \(size) bytes")
        }
    },

    Check("a truncated stream is refused") { subject, random in
        for size in [0, 1, 1000, 200_000] {
            let encoded = try subject.encode(random.compressibleBytes(size))
            let cuts: [Int]
            switch subject.format {
            case .plain: throw NotApplicable(reason: "any bytes are valid in \(subject.name)")
            case .marked: cuts = [1, 2, 4, 7, encoded.count / 2, encoded.count - 1, encoded.count]
            case .padded: cuts = [1, 2, 7, 15, encoded.count - 1, encoded.count]
            }
            for cut in Set(cuts) where (1...encoded.count).contains(cut) {
                try subject.expectRefused(encoded.dropLast(cut), "a stream of \(encoded.count) bytes without its last \(cut)")
            }
        }
    },

    Check("bytes after the end are refused") { subject, random in
        if case .plain = subject.format { throw NotApplicable(reason: "any bytes are valid in \(subject.name)") }
        for size in [0, 1000, 200_000] {
            let encoded = try subject.encode(random.compressibleBytes(size))
            for extra in [1, 4, 15] {
                try subject.expectRefused(encoded + random.bytes(extra), "a stream with \(extra) bytes after its end")
                if extra % 4 == 0 && subject.allowsPadding { continue }
                try subject.expectRefused(encoded + [UInt8](repeating: 0, count: extra), "a stream with \(extra) zeros after its end")
            }
        }
    },

    Check("a second stream is refused or decoded, never dropped") { subject, random in
        guard case .marked(let several) = subject.format else { throw NotApplicable(reason: "\(subject.name) marks no end") }
        let parts = [random.compressibleBytes(5000), random.compressibleBytes(100_000), []]
        let encoded = try parts.flatMap { try subject.encode($0) }
        if !several { return try subject.expectRefused(encoded, "a second stream") }
        for pieces in [1, 1000, Int.max] {
            var run = Run(encoded)
            run.pieces = { pieces }
            try expectSame(try run.through(try subject.codec.decoder()), parts.flatMap { $0 }, "three streams")
        }
    },

    Check("garbage is refused") { subject, random in
        if case .plain = subject.format { throw NotApplicable(reason: "any bytes are valid in \(subject.name)") }
        // Odd, so that it is no multiple of any block.
        for size in [1, 5, 21, 999, 100_001] { try subject.expectRefused(random.bytes(size), "\(size) bytes of garbage") }
    },

    Check("what must be refused is refused") { subject, _ in
        if subject.refused.isEmpty { throw NotApplicable(reason: "nothing is listed for \(subject.name)") }
        for (what, encoded, code) in subject.refused { try subject.expectRefused(encoded, what, codes: [code]) }
    },

    Check("no two encodings are the same") { subject, _ in
        if !subject.randomised { throw NotApplicable(reason: "\(subject.name) draws no salt") }
        let encoder = try subject.codec.encoder()
        var seen: Set<[UInt8]> = []
        for _ in 0..<20 {
            try encoder.reset()
            seen.insert(try Run([1, 2, 3]).through(encoder))
        }
        try expect(seen.count == 20, "twenty encodings of the same bytes are \(seen.count)")
    },

    Check("reset makes ready for the next object") { subject, random in
        let encoder = try subject.codec.encoder()
        let decoder = try subject.codec.decoder()
        for size in [0, 1000, 300_000, 1, 50, 0, 70_000] {
            let bytes = random.compressibleBytes(size)
            try encoder.reset()
            let encoded = try Run(bytes).through(encoder)
            try expectSame(try subject.decode(encoded), bytes, "\(size) bytes by an encoder that was used before")
            if !subject.randomised {
                try expectSame(encoded, try subject.encode(bytes), "the encoding of \(size) bytes by an encoder that was used before")
            }
            try decoder.reset()
            try expectSame(try Run(encoded).through(decoder), bytes, "\(size) bytes by a decoder that was used before")
        }
    },

    Check("reset half way makes ready for the next object") { subject, random in
        let encoder = try subject.codec.encoder()
        let decoder = try subject.codec.decoder()
        let first = random.compressibleBytes(200_000)
        let encodedFirst = try subject.encode(first)
        for stop in [1, 9, 20, 1000, 70_000] {
            for room in [1, 64 << 10] {
                var half = Run(stop < 1000 ? Array(first.prefix(stop + 1)) : first)
                half.pieces = { room }
                half.room = room
                half.stopsAt = stop
                _ = try half.through(encoder)
                try encoder.reset()
                let bytes = random.compressibleBytes(30_000)
                let encoded = try Run(bytes).through(encoder)
                try expectSame(try subject.decode(encoded), bytes, "by an encoder that stopped after \(stop) bytes")
                try encoder.reset()

                half = Run(encodedFirst)
                half.pieces = { min(room, stop) }
                half.stopsAt = min(stop, encodedFirst.count - 1)
                _ = try half.through(decoder)
                try decoder.reset()
                try expectSame(try Run(encoded).through(decoder), bytes, "by a decoder that stopped after \(stop) bytes")
                try decoder.reset()
            }
        }
    },

    Check("reset after an error makes ready for the next object") { subject, random in
        if case .plain = subject.format { throw NotApplicable(reason: "any bytes are valid in \(subject.name)") }
        let decoder = try subject.codec.decoder()
        let bytes = random.compressibleBytes(100_000)
        let encoded = try subject.encode(bytes)
        let damages: [[UInt8]] = [random.bytes(999), encoded.dropLast(3), encoded + [1], [], Array(encoded.dropFirst(5).dropLast(2))]
        for damaged in damages {
            try decoder.reset()
            _ = try? Run(damaged).through(decoder)
            try decoder.reset()
            try expectSame(try Run(encoded).through(decoder), bytes, "by a decoder that met an error")
        }
    },

    Check("transforms of one codec share nothing") { subject, random in
        let objects = (0..<3).map { _ in random.compressibleBytes(90_000) }
        let encoders = try objects.map { _ in try subject.codec.encoder() }
        let encoded = try interleaved(objects, encoders)
        for (number, bytes) in objects.enumerated() {
            try expectSame(try subject.decode(encoded[number]), bytes, "encoder \(number) of three at a time")
        }
        let decoders = try objects.map { _ in try subject.codec.decoder() }
        let decoded = try interleaved(encoded, decoders)
        for (number, bytes) in objects.enumerated() { try expectSame(decoded[number], bytes, "decoder \(number) of three at a time") }
    },
]

/// Runs the transforms in turns, a piece of each at a time.
private func interleaved(_ objects: [[UInt8]], _ transforms: [any Transform]) throws -> [[UInt8]] {
    var output = objects.map { _ in [UInt8]() }
    var taken = objects.map { _ in 0 }
    var done = objects.map { _ in false }
    var block = Block(capacity: 10_000)
    while done.contains(false) {
        for number in objects.indices where !done[number] {
            let input = objects[number]
            let fed = min(taken[number] + 7000, input.count)
            let progress = try block.append { (out: inout OutputRawSpan) throws(BackupError) in
                try transforms[number].process(input.span.bytes.extracting(taken[number]..<fed), into: &out, end: fed == input.count)
            }
            block.withBytes { bytes in bytes.withUnsafeBytes { output[number].append(contentsOf: $0) } }
            let idle = progress.consumed == 0 && block.count == 0 && !progress.done
            try expect(!idle, "transform \(number) neither takes nor gives a byte")
            block.clear()
            taken[number] += progress.consumed
            done[number] = progress.done
        }
    }
    return output
}
