"""lienthong"""
