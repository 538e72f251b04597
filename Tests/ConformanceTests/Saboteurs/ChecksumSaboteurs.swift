// Checksums that are broken on purpose, each in one way, with the check that must see it.

import BackstopConformance
import BackstopCore

enum ChecksumFault: String, CaseIterable {
    case isAnotherFunction, countsThePieces, ignoresTheLastByte, keepsStateAfterTheEnd, keepsStateHalfWay, sharesItsState

    var caughtBy: String {
        switch self {
        case .isAnotherFunction: "known answers"
        case .countsThePieces: "the pieces do not matter"
        case .ignoresTheLastByte: "every byte matters"
        case .keepsStateAfterTheEnd: "reset makes ready for the next object"
        case .keepsStateHalfWay: "reset half way makes ready for the next object"
        case .sharesItsState: "checksums of one provider share nothing"
        }
    }

    func subject() throws -> ChecksumSubject {
        var subject = checksumSubjects[0]
        subject.provider = try FaultyProvider(fault: self, provider: try registry.checksum(self == .isAnotherFunction ? "sha256" : "sha1"))
        return subject
    }
}

private struct FaultyProvider: ChecksumProvider {
    let fault: ChecksumFault
    let provider: any ChecksumProvider
    // Used by one task: the check's.
    nonisolated(unsafe) let shared: any Checksum

    init(fault: ChecksumFault, provider: any ChecksumProvider) throws(BackupError) {
        self.fault = fault
        self.provider = provider
        shared = try provider.make()
    }

    func make() throws(BackupError) -> any Checksum {
        guard fault == .sharesItsState else { return FaultyChecksum(try provider.make(), fault) }
        shared.reset()
        return FaultyChecksum(shared, fault)
    }
}

private final class FaultyChecksum: Checksum {
    private let checksum: any Checksum
    private let fault: ChecksumFault
    private var finished = false

    init(_ checksum: any Checksum, _ fault: ChecksumFault) {
        self.checksum = checksum
        self.fault = fault
    }

    func update(_ bytes: RawSpan) {
        checksum.update(fault == .ignoresTheLastByte ? bytes.extracting(0..<max(0, bytes.byteCount - 1)) : bytes)
        if fault == .countsThePieces { checksum.update([UInt8(1)].span.bytes) }
    }

    func finish() throws(BackupError) {
        try checksum.finish()
        finished = true
    }

    func reset() {
        defer { finished = false }
        if fault == .keepsStateAfterTheEnd && finished { return }
        if fault == .keepsStateHalfWay && !finished { return }
        checksum.reset()
    }

    var digest: Digest { checksum.digest }
}
