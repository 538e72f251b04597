// What comes where a frame belongs: text of somebody who does not know that standard output is for frames, or a frame that cannot be.

/// Says what it is. `bytes`: what came, from where the frame should have begun; five or more.
func noiseText(_ bytes: [UInt8]) -> String {
    let isBreak = { (byte: UInt8) in byte == 10 || byte == 13 }
    let line = bytes.drop { isBreak($0) || $0 == 32 || $0 == 9 }.prefix { ($0 >= 32 || $0 == 9) && $0 != 127 }
    let text = String(decoding: line, as: UTF8.self)
    // A kind and a length look like text for a letter or two.
    let isEnded = line.endIndex < bytes.endIndex && isBreak(bytes[line.endIndex])
    if !line.isEmpty, isEnded || line.count >= 5, !text.unicodeScalars.dropLast().contains("\u{fffd}") {
        return "printed '\(text.prefix(120).trimmed)' where a frame belongs"
    }
    if let kind = FrameKind(rawValue: bytes[0]) {
        let length = bytes[1..<5].reduce(0) { $0 << 8 | Int($1) }
        return "announced a frame \(kind.letter) of \(length) bytes, the limit is \(FrameHeader.most(kind))"
    }
    return "sent what is no frame (\(bytes.prefix(5).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")))"
}
