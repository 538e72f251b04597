// Checks of Checksum.

public import BackstopCore

/// A kind of checksum, with digests that are known.
public struct ChecksumSubject: ConformanceSubject {
    public let name: String
    public let seed: UInt64
    /// Makes the checksums that are looked at.
    public var provider: any ChecksumProvider
    /// Bytes and their digest in lower case hexadecimal.
    public var knownAnswers: [(bytes: [UInt8], digest: String)]

    public init(
        name: String, provider: any ChecksumProvider, knownAnswers: [(bytes: [UInt8], digest: String)], seed: UInt64 = freshSeed()
    ) {
        self.name = name
        self.provider = provider
        self.knownAnswers = knownAnswers
        self.seed = seed
    }
}

/// The digest of `bytes`, fed in pieces.
private func digest(_ bytes: [UInt8], by checksum: any Checksum, _ pieces: () -> Int = { Int.max }) throws -> String {
    var position = 0
    while position < bytes.count {
        let next = position + min(bytes.count - position, pieces())
        checksum.update(bytes.span.bytes.extracting(position..<next))
        position = next
    }
    try checksum.finish()
    return checksum.digest.description
}

/// All checks of the contract of `Checksum`.
public let checksumChecks: [Check<ChecksumSubject>] = [
    Check("known answers") { subject, _ in
        try expect(!subject.knownAnswers.isEmpty, "no known answers are given")
        for (bytes, wanted) in subject.knownAnswers {
            let got = try digest(bytes, by: try subject.provider.make())
            try expect(got == wanted, "the digest of \(bytes.count) bytes is \(got), expected \(wanted)")
        }
    },

    Check("the pieces do not matter") { subject, random in
        for size in [1, 63, 64, 65, 1000, 100_000] {
            let bytes = random.bytes(size)
            let wanted = try digest(bytes, by: try subject.provider.make())
            for most in [1, 3, 64, 1000] {
                var pieces = random
                let got = try digest(bytes, by: try subject.provider.make()) { Int.random(in: 0...most, using: &pieces) }
                try expect(got == wanted, "the digest of \(size) bytes in pieces of up to \(most) is \(got), in one piece \(wanted)")
            }
        }
    },

    Check("every byte matters") { subject, random in
        let bytes = random.bytes(300)
        let digests = try (0...300).map { index in
            var changed = bytes
            if index < 300 { changed[index] ^= 1 }
            return try digest(changed, by: try subject.provider.make())
        }
        try expect(Set(digests).count == 301, "of 301 different texts there are \(Set(digests).count) digests")
        let shorter = try digest(bytes.dropLast(), by: try subject.provider.make())
        try expect(shorter != digests[300], "the last byte does not matter")
    },

    Check("reset makes ready for the next object") { subject, random in
        let checksum = try subject.provider.make()
        for size in [0, 10, 70_000, 0, 1] {
            let bytes = random.bytes(size)
            checksum.reset()
            let got = try digest(bytes, by: checksum)
            let wanted = try digest(bytes, by: try subject.provider.make())
            try expect(got == wanted, "after a reset the digest of \(size) bytes is \(got), expected \(wanted)")
        }
    },

    Check("reset half way makes ready for the next object") { subject, random in
        let checksum = try subject.provider.make()
        for size in [0, 10, 70_000] {
            checksum.update(random.bytes(1000).span.bytes)
            checksum.reset()
            let bytes = random.bytes(size)
            let got = try digest(bytes, by: checksum)
            let wanted = try digest(bytes, by: try subject.provider.make())
            try expect(got == wanted, "after a reset half way the digest of \(size) bytes is \(got), expected \(wanted)")
            checksum.reset()
        }
    },

    Check("checksums of one provider share nothing") { subject, random in
        let objects = (0..<2).map { _ in random.bytes(1000) }
        let wanted = try objects.map { try digest($0, by: try subject.provider.make()) }
        let checksums = try objects.map { _ in try subject.provider.make() }
        for start in stride(from: 0, to: 1000, by: 100) {
            for (bytes, checksum) in zip(objects, checksums) { checksum.update(bytes.span.bytes.extracting(start..<start + 100)) }
        }
        for (checksum, wanted) in zip(checksums, wanted) {
            try checksum.finish()
            try expect(checksum.digest.description == wanted, "two at a time: \(checksum.digest), expected \(wanted)")
        }
    },
]
