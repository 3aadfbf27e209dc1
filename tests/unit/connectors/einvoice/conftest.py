"""One invoice in the tax authority's format, whose values a test may replace."""

from __future__ import annotations

from collections.abc import Callable

import pytest

VALUES = {
    "form": "1",
    "series": "C26TAA",
    "number": "7",
    "date": "2026-03-02",
    "seller": "<Ten>Công ty TNHH Mẫu Thử</Ten><MST>0100233488</MST><DChi>Phủ Lý, Hà Nam</DChi>"
    "<SDThoai>0226000000</SDThoai><STKNHang>000111222333</STKNHang><TNHang>Ngân hàng Mẫu</TNHang>",
    "buyer": "<Ten>Hộ kinh doanh Thử Nghiệm</Ten><MST>0109205608</MST>",
    "general": "",
    "free": "",
    "quantity": "2",
    "price": "500000",
    "amount": "1000000.00",
    "line": "<THHDVu>Nồi cơm điện</THHDVu>",
    "net": "1000000",
    "total": "1100000.0",
    "inside": "",
    "beside": "",
    "after": "",
}

TOTALS = (
    "<TToan><THTTLTSuat><LTSuat><TSuat>10%</TSuat><ThTien>1000000</ThTien><TThue>100000</TThue></LTSuat></THTTLTSuat>"
    "<TgTCThue>{net}</TgTCThue><TgTThue>100000</TgTThue><TTCKTMai>0</TTCKTMai><TgTTTBSo>{total}</TgTTTBSo>"
    "<TgTTTBChu>Một triệu một trăm nghìn đồng</TgTTTBChu></TToan>"
)

INVOICE = (
    "<HDon><DLHDon Id='SigningData'><TTChung><PBan>2.1.0</PBan><THDon>Hóa đơn giá trị gia tăng</THDon>"
    "<KHMSHDon>{form}</KHMSHDon><KHHDon>{series}</KHHDon><SHDon>{number}</SHDon><NLap>{date}</NLap>"
    "<DVTTe>VND</DVTTe><TGia>1</TGia><HTTToan>Chuyển khoản</HTTToan>{general}</TTChung>"
    "<NDHDon><NBan>{seller}</NBan><NMua>{buyer}</NMua>"
    "<DSHHDVu><HHDVu><TChat>1</TChat><STT>1</STT><MHHDVu>NC01</MHHDVu>{line}<DVTinh>Chiếc</DVTinh>"
    "<SLuong>{quantity}</SLuong><DGia>{price}</DGia><TLCKhau>0</TLCKhau><STCKhau>0</STCKhau>"
    "<ThTien>{amount}</ThTien><TSuat>10%</TSuat></HHDVu></DSHHDVu>{inside}</NDHDon>{beside}<TTKhac>{free}</TTKhac>"
    "</DLHDon>{after}<DSCKS><NBan/></DSCKS></HDon>"
)


@pytest.fixture(scope="session")
def invoice_xml() -> Callable[..., str]:
    """Give a function that writes an invoice; `totals` says where TToan stands: inside, beside or after."""

    def write(*, totals: str = "inside", **changes: str) -> str:
        values = VALUES | changes
        values[totals] += TOTALS.format(**values)
        return INVOICE.format(**values)

    return write


@pytest.fixture(scope="session")
def message_xml() -> Callable[..., str]:
    """Give a function that puts data into an envelope."""

    def write(data: str, *, kind: str = "<MLTDiep>203</MLTDiep>", more: str = "") -> str:
        return (
            f"<TDiep><TTChung><PBan>2.1.0</PBan><MNGui>V0100233488</MNGui><MNNhan>TCT</MNNhan>{kind}"
            f"<MTDiep>V0100233488ABC</MTDiep><MTDTChieu>TCT123</MTDTChieu><SLuong>1</SLuong>{more}</TTChung>"
            f"<DLieu>{data}</DLieu></TDiep>"
        )

    return write
