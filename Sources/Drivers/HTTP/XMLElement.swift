// The XML that stores answer with, as a tree of elements and their text; attributes do not matter here.

internal import BackstopCore
internal import CXml

struct XMLElement {
    var name: String
    var text = ""
    var children: [XMLElement] = []

    init(name: String) { self.name = name }

    /// Parses a whole document. `.corrupt` for anything that is none: an answer that was cut is no shorter answer.
    init(parsing bytes: [UInt8]) throws(BackupError) {
        if let problem = backstop_xml_load() {
            throw BackupError(
                .unsupported, "unable to load libxml2: \(String(cString: problem))",
                hint: "install libxml2 (on Debian: apt install libxml2).")
        }
        let builder = Builder()
        var events = backstop_xml_events(
            start: { Unmanaged<Builder>.fromOpaque($0!).takeUnretainedValue().start(String(cString: $1)) },
            end: { context, _ in Unmanaged<Builder>.fromOpaque(context!).takeUnretainedValue().end() },
            text: { Unmanaged<Builder>.fromOpaque($0!).takeUnretainedValue().append(UnsafeRawBufferPointer(start: $1, count: Int($2))) })
        let problem: String? = withExtendedLifetime(builder) {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                let context = Unmanaged.passUnretained(builder).toOpaque()
                let result = bytes.withUnsafeBytes {
                    backstop_xml_parse(
                        $0.baseAddress?.assumingMemoryBound(to: CChar.self) ?? UnsafePointer(buffer.baseAddress!),
                        Int32(clamping: $0.count),
                        &events, context, buffer.baseAddress!, buffer.count)
                }
                return result == 0 ? nil : String(cString: buffer.baseAddress!)
            }
        }
        guard problem == nil, let root = builder.root else {
            let text = problem.map { String($0.split(separator: "\n").first ?? "") } ?? "no element"
            throw BackupError(.corrupt, "the answer is not well-formed XML: \(text)")
        }
        self = root
    }

    subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The text of the child with this name; nil when there is none.
    func text(_ name: String) -> String? { self[name]?.text }

    /// Text as it stands in a document.
    static func escaped(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): result += Array("&amp;".utf8)
            case UInt8(ascii: "<"): result += Array("&lt;".utf8)
            case UInt8(ascii: ">"): result += Array("&gt;".utf8)
            case UInt8(ascii: "\""): result += Array("&quot;".utf8)
            // Carriage returns and line feeds would be read as one and the same.
            case 9, 10, 13: result += Array("&#\(byte);".utf8)
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private final class Builder {
        private var open: [XMLElement] = []
        private(set) var root: XMLElement?

        func start(_ name: String) { open.append(XMLElement(name: name)) }

        func append(_ bytes: UnsafeRawBufferPointer) {
            guard !open.isEmpty else { return }
            open[open.count - 1].text += String(decoding: bytes, as: UTF8.self)
        }

        func end() {
            guard let element = open.popLast() else { return }
            if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
        }
    }
}
